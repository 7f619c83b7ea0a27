#include "resample.h"

#include "transpose.h"

/* A lane of a vector holds a group, so that a tap is a product of a vector by a number. Tiles of
   phases by vectors of groups stay in registers, as in a matrix product: each sample loaded serves
   all phases of the tile. */
#if VECTOR_BYTES == 64
enum { PHASES = 8, VECTORS = 3 };
#else
enum { PHASES = 4, VECTORS = 3 }; /* of 16 registers */
#endif
enum { GROUPS = VECTORS * LANES };

/* Samples of up to LANES groups into columns of `in`; those of the last one again where there are
   fewer. */
static void columns(const float *x, long count, long step, long reach, float *in) {
    const float *from[LANES];
    for (long lane = 0; lane < LANES; lane++) from[lane] = x + (lane < count ? lane : count - 1) * step;
    long i = 0;
    for (; i + LANES <= reach; i += LANES) {
        vfloat square[LANES];
        UNROLLED for (long lane = 0; lane < LANES; lane++) square[lane] = load(from[lane] + i);
        transpose(square);
        UNROLLED for (long row = 0; row < LANES; row++) store(in + (i + row) * GROUPS, square[row]);
    }
    for (; i < reach; i++)
        for (long lane = 0; lane < LANES; lane++) in[i * GROUPS + lane] = from[lane][i];
}

/* A tile of results (PHASES, GROUPS), of which the first vectors are wanted. */
INLINE void tile(const float *in, const float *w, long taps, float *out, const int vectors) {
    vfloat sums[PHASES][VECTORS] = {{{0}}};
    for (long k = 0; k < taps; k++, in += GROUPS, w += PHASES) {
        vfloat samples[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) samples[v] = load(in + v * LANES);
        UNROLLED for (int p = 0; p < PHASES; p++)
            UNROLLED for (int v = 0; v < vectors; v++) sums[p][v] += samples[v] * w[p];
    }
    UNROLLED for (int p = 0; p < PHASES; p++)
        UNROLLED for (int v = 0; v < vectors; v++) store(out + p * GROUPS + v * LANES, sums[p][v]);
}

static void bank(const float *x, float *y, long groups, long step, long phases, long taps,
                 const long *starts, const float *weights, long reach, float *work) {
    float *in = work, *out = work + reach * GROUPS;
    for (long first = 0; first < groups; first += GROUPS) {
        const long count = groups - first < GROUPS ? groups - first : GROUPS;
        const long vectors = (count + LANES - 1) / LANES;
        for (long v = 0; v < vectors; v++)
            columns(x + (first + v * LANES) * step, count - v * LANES, step, reach, in + v * LANES);
        for (long t = 0; t * PHASES < phases; t++) {
            const float *from = in + starts[t] * GROUPS, *w = weights + t * taps * PHASES;
            if (vectors == 3) tile(from, w, taps, out, 3);
            else if (vectors == 2) tile(from, w, taps, out, 2);
            else tile(from, w, taps, out, 1);
            const long own = phases - t * PHASES < PHASES ? phases - t * PHASES : PHASES;
            float *to = y + first * phases + t * PHASES;
            for (long j = 0; j < count; j++, to += phases)
                for (long p = 0; p < own; p++) to[p] = out[p * GROUPS + j];
        }
    }
}

/* The plain twin; w (phases, taps), a start for each phase. */
__attribute__((unused)) static void bank_plain(const float *x, float *y, long groups, long step,
                                               long phases, long taps, const long *starts,
                                               const float *w) {
    for (long j = 0; j < groups; j++)
        for (long p = 0; p < phases; p++) {
            double sum = 0;
            for (long k = 0; k < taps; k++)
                sum += (double)w[p * taps + k] * (double)x[j * step + starts[p] + k];
            y[j * phases + p] = (float)sum;
        }
}

const resample_kernels KERNEL(resample) = {bank, PHASES, GROUPS};
