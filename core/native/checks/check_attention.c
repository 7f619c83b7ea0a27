#include "check.h"

#include "../kernels/gemm_small.c"
#include "../kernels/gemm.c"
#include "../kernels/attention.c"

static attention_matrix matrix(long rows, long columns) {
    const int turned = random_bits() % 4 == 0;
    const long gap = random_bits() % 2 ? random_between(1, 20) : 0;
    const long room = turned ? columns * (rows + gap) - gap : rows * (columns + gap) - gap;
    float *data = guarded_floats(room, 1);
    return (attention_matrix){data, turned ? 1 : columns + gap, turned ? rows + gap : 1};
}

static void set_mask(attention_head *head) {
    head->mask = 0, head->mask_row = head->mask_column = 0;
    head->kind = (attention_mask_kind)(random_bits() % 3);
    if (head->kind == ATTENTION_OPEN) return;
    const int by_row = random_bits() % 2;
    const long count = (by_row ? head->l : 1) * head->s;
    head->mask_row = by_row ? head->s : 0, head->mask_column = 1;
    if (head->kind == ATTENTION_FLOATS) {
        head->mask = guarded_floats(count, 2);
        return;
    }
    unsigned char *bytes = guarded(count, 1);
    for (long i = 0; i < count; i++) bytes[i] = random_bits() % 3 != 0;
    head->mask = bytes;
}

/* Rows with numbers between them, which are to stay as they are. */
static attention_result result(long rows, long columns) {
    const long row = columns + (random_bits() % 2 ? random_between(1, 20) : 0);
    float *data = guarded((rows - 1) * row + columns, sizeof *data);
    for (long i = 0; i < (rows - 1) * row + columns; i++) data[i] = 7;
    return (attention_result){data, row};
}

static void check_rows(const char *name, attention_result got, const float *want, long rows,
                       long columns, float relative, float absolute) {
    for (long i = 0; i < rows; i++) {
        const float *row = got.data + i * got.row, untouched = 7;
        check_close(name, row, want + i * columns, columns, relative, absolute);
        for (long j = columns; i + 1 < rows && j < got.row; j++)
            check_close("between rows", row + j, &untouched, 1, 0, 0);
    }
}

static float *aligned(long count) {
    static float *memory;
    free(memory);
    memory = aligned_alloc(64, (size_t)(count + 15) / 16 * 64);
    return memory;
}

static void one(int round) {
    attention_head head = {.l = random_between(1, round % 8 ? 70 : 150),
                           .s = random_between(1, round % 8 ? 70 : 600),
                           .e = random_between(1, 40), .f = random_between(1, 40)};
    const long l = head.l, s = head.s, e = head.e, f = head.f;
    head.q = matrix(l, e), head.k = matrix(s, e), head.v = matrix(s, f);
    head.scale = 0.4f, head.causal = round % 3 == 0, head.ahead = random_between(-5, 5);
    set_mask(&head);
    const attention_result out = result(l, f);
    float *level = guarded_floats(l, 1), *out_want = guarded_floats(l * f, 1), *level_want = guarded_floats(l, 1);
    for (long begin = 0; begin < l; begin += 64)
        attention_forward(&head, out, level, begin, begin + 64 < l ? begin + 64 : l,
                          aligned(forward_floats(&head)));
    attention_forward_plain(&head, out_want, level_want);
    check_rows("out", out, out_want, l, f, 1e-5f, 2e-6f);
    check_close("level", level, level_want, l, 1e-5f, 1e-5f);
    const attention_matrix g = matrix(l, f), o = {out_want, f, 1};
    float *h = guarded_floats(l, 1), *want[3];
    const attention_result got[3] = {result(l, e), result(s, e), result(s, f)};
    const long rows[3] = {l, s, s}, columns[3] = {e, e, f};
    for (int i = 0; i < 3; i++) want[i] = guarded_floats(rows[i] * columns[i], 0);
    attention_backward(&head, g, o, level_want, h, got[0], got[1], got[2],
                       aligned(backward_floats(&head)));
    attention_backward_plain(&head, g, o, level_want, h, want[0], want[1], want[2]);
    const char *names[] = {"dq", "dk", "dv"};
    for (int i = 0; i < 3; i++)
        check_rows(names[i], got[i], want[i], rows[i], columns[i], 1e-4f, 2e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 120; round++) one(round);
    aligned(1);
    puts("attention: 120 heads");
    return 0;
}
