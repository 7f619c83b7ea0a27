#include "check.h"

#include "../kernels/reduce.c"

static void near(const char *what, float got, double want, double room) {
    if (fabs((double)got - want) <= room || (isnan(got) && isnan(want))) return;
    printf("%s: %.9g, the plain twin has %.9g\n", what, (double)got, want);
    exit(1);
}

int main(void) {
    for (int round = 0; round < 600; round++) {
        long n = round < 500 ? random_size(300) : random_between(1000, 200000);
        float *x = guarded_floats(n, 1);
        near("sum", sum(x, n), sum_plain(x, n, 1), 3e-7 * (1 + sqrt((double)n)));
        if (n) {
            if (round % 3 == 0) x[random_between(0, n - 1)] = NAN;
            if (round % 5 == 0) x[random_between(0, n - 1)] = x[random_between(0, n - 1)];
            long most = argmax_plain(x, n, 1), least = argmax_plain(x, n, -1);
            near("maximum", maximum(x, n), x[most], 0), near("minimum", minimum(x, n), x[least], 0);
            if (argmax(x, n) != most || argmin(x, n) != least) puts("argmax, argmin"), exit(1);
        }
        long rows = random_size(200), columns = random_size(70);
        float *table = guarded_floats(rows * columns, 1), *y = guarded_floats(columns, 1);
        sum_columns(table, rows, columns, y, columns);
        for (long j = 0; j < columns; j++)
            near("sum_columns", y[j], sum_plain(table + j, rows, columns), 1e-5);
        check_done();
    }
    puts("reduce: 600 rounds");
    return 0;
}
