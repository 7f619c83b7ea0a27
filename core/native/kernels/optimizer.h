/* Steps of optimizers over one parameter, in one pass and in place. */
#ifndef TRIPTYCH_OPTIMIZER_H
#define TRIPTYCH_OPTIMIZER_H
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float lr, momentum, undamped; /* 1 - dampening */
    float weight_decay, sign;     /* of the gradient: -1 to climb */
    int nesterov;
} sgd_options;

typedef struct {
    float new_mean, keep_square, new_square; /* 1 - beta1, beta2, 1 - beta2 */
    float shrink; /* p is multiplied by it first: decoupled decay */
    float weight_decay, sign;
    float rate;  /* lr / (1 - beta1^step) */
    float scale; /* 1 / sqrt(1 - beta2^step) */
    float eps;
} adam_options;

typedef struct {
    /* p: parameter, g: gradient, b: buffer or null where momentum is 0; n numbers each, none of
       them in the memory of another. */
    void (*sgd)(float *p, const float *g, float *b, long n, const sgd_options *o);
    /* m, v: running means of the gradient and of its square. */
    void (*adam)(float *p, const float *g, float *m, float *v, long n, const adam_options *o);
} optimizer_kernels;

extern const optimizer_kernels optimizer_baseline, optimizer_avx2, optimizer_avx512;

#ifdef __cplusplus
}
#endif
#endif
