/* How the outputs of a convolution are finished, on their way to memory or while they are in the
   first cache; see conv_after in conv.h. */
#ifndef TRIPTYCH_CONV_AFTER_H
#define TRIPTYCH_CONV_AFTER_H

#include "conv.h"

#include "vector_math.h"

/* Outputs of one channel. `hardswish`: a constant at the place of the call. */
INLINE vfloat channel_after(const int hardswish, const conv_after *after, long channel, vfloat v) {
    if (after->mean) v = (v - after->mean[channel]) * after->scale[channel];
    v += after->shift[channel];
    return hardswish ? v * vhardsigmoid(v) : vbetween(after->low, after->high, v);
}

INLINE float number_after(const conv_after *after, long channel, float number) {
    const vfloat v = splat(number);
    return (after->hardswish ? channel_after(1, after, channel, v)
                             : channel_after(0, after, channel, v))[0];
}

#endif
