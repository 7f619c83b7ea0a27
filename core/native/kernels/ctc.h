/* Connectionist temporal classification of packed float32 log probabilities. */
#ifndef TRIPTYCH_CTC_H
#define TRIPTYCH_CTC_H
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const float *x;           /* of one sample: `classes` log probabilities for each step */
    long step;                /* from one step to the next, in numbers */
    long steps, classes;      /* steps that count */
    const long long *labels;  /* of it, each in [0, classes) */
    long count, blank;        /* labels that count */
} ctc_sample;

typedef struct {
    /* The negative log likelihood of the labels; infinite without an alignment. work:
       work_floats(count, 2) numbers on a border of 64 bytes. */
    float (*forward)(const ctc_sample *s, float *work);
    /* The gradient of x at the steps that count, times `slope`; with `logits` slope exp(x) more.
       Zeros without an alignment. dx is laid out as x. work: work_floats(count, steps + 4). */
    void (*backward)(const ctc_sample *s, float slope, int logits, float *dx, float *work);
    long (*work_floats)(long count, long rows);
} ctc_kernels;

extern const ctc_kernels ctc_baseline, ctc_avx2, ctc_avx512;

#ifdef __cplusplus
}
#endif
#endif
