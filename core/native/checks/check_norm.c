#include "check.h"

#include "../kernels/norm.c"

/* Planes of channels: statistics, and both directions through them. */
static void spans(int round) {
    norm_span span = {random_between(1, 9), random_between(1, round % 4 ? 300 : 9000), 0};
    span.step = span.length + random_size(40);
    const long room = (span.planes - 1) * span.step + span.length;
    const float offset = round % 3 ? 0 : 50;
    float *x = guarded_floats(room, 1), *g = guarded_floats(room, 1), *y = guarded_floats(room, 1);
    for (long i = 0; i < room; i++) x[i] += offset;
    double got[2], want[2], plain, tilted, sums[2] = {0, 0}, large = 0;
    norm_moments(&span, x, round % 2, &got[0], &got[1]);
    norm_moments_plain(&span, x, round % 2, &want[0], &want[1]);
    const float got_floats[2] = {(float)got[0], (float)got[1]};
    const float want_floats[2] = {(float)want[0], (float)want[1]};
    check_close("moments", got_floats, want_floats, 2, 3e-6f, 1e-6f);
    norm_sums(&span, g, x, offset, &plain, &tilted);
    float *kept = guarded_floats(room, 1);
    memcpy(kept, y, (size_t)room * sizeof *y);
    norm_apply(&span, x, y, offset, 0.5f, 2.0f);
    for (long i = 0; i < room; i++) {
        if (i % span.step >= span.length) continue;
        kept[i] = (x[i] - offset) * 0.5f + 2.0f;
        sums[0] += g[i], sums[1] += g[i] * (x[i] - offset), large += 1;
    }
    check_close("apply", y, kept, room, 1e-6f, 1e-6f); /* and nothing between the planes */
    const float got_sums[2] = {(float)plain, (float)tilted};
    const float want_sums[2] = {(float)sums[0], (float)sums[1]};
    check_close("sums", got_sums, want_sums, 2, 1e-5f, (float)(1e-6 * sqrt(large) + 1e-6));
    norm_combine(&span, g, x, y, offset, 0.5f, -0.25f, 3.0f);
    for (long i = 0; i < room; i++)
        if (i % span.step < span.length)
            kept[i] = g[i] * 0.5f + (x[i] - offset) * -0.25f + 3.0f;
    check_close("combine", y, kept, room, 1e-6f, 1e-6f);
    check_done();
}

static void rows(int round) {
    const long count = random_size(9), length = random_between(1, round % 5 ? 300 : 9000);
    float *w = round % 2 ? guarded_floats(length, 1) : 0;
    float *b = round % 4 == 3 ? guarded_floats(length, 1) : 0;
    const norm_row row = {length, round % 3 != 0, 1e-3, w, b};
    float *x = guarded_floats(count * length, 3), *g = guarded_floats(count * length, 1);
    float *got = guarded_floats(count * length, 1), *want = guarded_floats(count * length, 1);
    norm_rows(&row, x, got, count);
    norm_rows_plain(&row, x, want, count);
    check_close("rows", got, want, count * length, 3e-5f, 3e-5f);
    float *sums[4];
    for (int i = 0; i < 4; i++) sums[i] = w ? guarded_floats(length, 0) : 0;
    norm_rows_backward(&row, g, x, got, sums[0], sums[1], count);
    norm_rows_backward_plain(&row, g, x, want, sums[2], sums[3], count);
    check_close("dx", got, want, count * length, 2e-3f, 2e-4f);
    if (w) check_close("dw", sums[0], sums[2], length, 1e-4f, 1e-4f);
    if (w) check_close("db", sums[1], sums[3], length, 1e-5f, 1e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 300; round++) spans(round), rows(round);
    puts("norm: 300 spans, 300 sets of rows");
    return 0;
}
