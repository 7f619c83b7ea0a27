/* Products of matrices of short numbers, which machines multiply and add four bytes at a time: int8
   with uint8 to int32, exactly, and bfloat16 to float32. */
#ifndef TRIPTYCH_SHORT_GEMM_H
#define TRIPTYCH_SHORT_GEMM_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define SHORT_ROWS 32    /* of the result that are computed at a time */
#define SHORT_COLUMNS 16 /* of a panel */
#define SHORT_FEW 4      /* columns that are better taken as they are */

/* Instructions beyond those a file is compiled for, which the caller has found the processor to
   have: each way needs those before it. */
typedef enum { SHORT_PLAIN, SHORT_DOTS, SHORT_TILES } short_way;

/* A row of either operand has k numbers, `bytes` of them in all, and is filled up with zeros to
   `groups` times four bytes. */
typedef struct {
    long bytes, groups;
} short_depth;

/* Columns are packed: for each group the four bytes of 16 columns, side by side. */
typedef struct {
    short_depth (*depth)(long k, int size); /* size: bytes of a number */
    /* A panel of `count` <= 16 columns, whose numbers lie side by side and columns `step` bytes
       apart; flip is xored with each byte, 0x80 to make int8 uint8 with 128 for zero. */
    void (*pack)(const short_depth *depth, const uint8_t *x, long step, long count, uint8_t flip,
                 uint8_t *panel);
    /* The same of a matrix of two-byte numbers whose rows, `step` numbers apart, are the terms. */
    void (*pack_turned)(const short_depth *depth, const uint16_t *x, long step, long count,
                        uint8_t *panel);
    /* c[i][j] = sum over p of w[i][p] x[p][j], for rows <= 32 of w, which are `step` bytes apart,
       and panels of uint8; c_step >= 16 panels numbers, all of which are written. The sum wraps
       around, which cannot happen before 2^15 terms are 255 times -128. */
    void (*multiply)(short_way way, const short_depth *depth, const int8_t *w, long step, long rows,
                     const uint8_t *panels, long num_panels, int32_t *c, long c_step,
                     void *scratch);
    /* The same for bfloat16, by SHORT_DOTS or SHORT_TILES; null where neither can be. Numbers below
       2^-126 count as 0. */
    void (*multiply_bfloat16)(short_way way, const short_depth *depth, const uint16_t *w, long step,
                              long rows, const uint8_t *panels, long num_panels, float *c,
                              long c_step, void *scratch);
    /* Either of them for at most SHORT_FEW columns in place of panels: x (columns, 4 groups) bytes,
       filled up with zeros; by SHORT_DOTS, null where that cannot be. */
    void (*multiply_few)(int size, const short_depth *depth, const uint8_t *w, long step, long rows,
                         const uint8_t *x, long columns, int32_t *c, long c_step);
    long (*scratch_bytes)(const short_depth *depth); /* on a border of 64 bytes */
} short_gemm_kernels;

extern const short_gemm_kernels short_gemm_baseline, short_gemm_avx2, short_gemm_avx512;

#ifdef __cplusplus
}
#endif
#endif
