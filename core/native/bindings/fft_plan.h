// Plans of Fourier transforms.
#pragma once

#include "kernels/fft.h"

namespace triptych {

// Of frames of n samples; null when n has a prime factor that is too large. Plans are few and
// small: they stay.
const fft_plan *fft_plan_for(long n);

} // namespace triptych
