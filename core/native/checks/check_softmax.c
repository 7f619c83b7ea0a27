#include "check.h"

#include "../kernels/softmax.c"

static void one(int round) {
    const int last = round % 3 == 0;
    softmax_axis axis = {random_size(9), random_size(last ? 300 : 40), last ? 1 : random_size(150),
                         round / 2 % 2};
    if (axis.inner == 0) axis.inner = 2;
    const long count = axis.outer * axis.length * axis.inner;
    const float scale = round % 2 ? 1.0f : 90.0f;
    float *x = guarded_floats(count, scale), *g = guarded_floats(count, 1);
    float *got = guarded_floats(count, 1), *want = guarded_floats(count, 1);
    const long units = softmax_units(&axis), half = units / 2;
    softmax_forward(&axis, x, got, 0, half);
    softmax_forward(&axis, x, got, half, units);
    softmax_plain(&axis, x, want);
    check_close("softmax", got, want, count, 2e-6f, axis.log ? 2e-6f : 1e-35f);
    float *dx = guarded_floats(count, 1), *dx_want = guarded_floats(count, 1);
    softmax_backward(&axis, g, want, dx, 0, half);
    softmax_backward(&axis, g, want, dx, half, units);
    softmax_dx_plain(&axis, g, want, dx_want);
    check_close("softmax_dx", dx, dx_want, count, 1e-5f, 2e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 600; round++) one(round);
    puts("softmax: 600 shapes");
    return 0;
}
