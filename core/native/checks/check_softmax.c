#include "check.h"

#include "../kernels/softmax.c"

int main(void) {
    for (int round = 0; round < 400; round++) {
        long rows = random_size(9), length = random_size(300);
        float *x = guarded_floats(rows * length, round % 2 ? 1.0f : 90.0f);
        float *got = guarded_floats(rows * length, 1), *want = guarded_floats(rows * length, 1);
        softmax_rows(x, got, rows, length);
        softmax_plain(x, want, rows, length);
        check_close("softmax", got, want, rows * length, 2e-6f, 1e-35f);
        check_done();
    }
    puts("softmax: 400 shapes");
    return 0;
}
