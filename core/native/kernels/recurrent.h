/* Recurrent layers over time, packed float32: tanh or relu networks, LSTM, GRU.

   gates (steps, batch, g size) are the products of the input, with biases, for g = 1, 4, 3 gates;
   w (g size, size) multiplies the state. Gates come in the order input, forget, cell, output and
   reset, update, new. */
#ifndef TRIPTYCH_RECURRENT_H
#define TRIPTYCH_RECURRENT_H
#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RECURRENT_TANH, RECURRENT_RELU, RECURRENT_LSTM, RECURRENT_GRU } recurrent_kind;

typedef struct {
    recurrent_kind kind;
    long steps, batch, size;
} recurrent_shape;

typedef struct {
    const float *gates, *w;
    const float *packed;     /* w by pack_forward, or null: w is then read where it is */
    const float *h0, *c0;    /* (batch, size); c0 of an LSTM */
    const float *bias;       /* (size,), of a GRU, inside the new gate */
    float *states, *cells;   /* (steps, batch, size); cells of an LSTM */
} recurrent_run;

typedef struct {
    const float *of_states;  /* the gradient of states */
    const float *of_cells;   /* and of cells, for an LSTM */
    const float *gates, *h0, *c0, *bias, *states, *cells;
    const float *packed;     /* w by pack_backward */
    float *products;         /* w times the state before each step, then the gradient of that;
                                only the latter for tanh and relu */
    float *of_gates;         /* the gradient of gates of a GRU; that of others is in `products` */
    float *dh, *dc;          /* (batch, size) gradients of the last state, then of h0; dc of c0 */
} recurrent_back;

typedef struct {
    /* Panels of w: units [begin, end) of them, which is work that may be split. */
    long (*forward_units)(const recurrent_shape *shape);
    long (*backward_units)(const recurrent_shape *shape);
    long (*forward_floats)(const recurrent_shape *shape);
    long (*backward_floats)(const recurrent_shape *shape);
    void (*pack_forward)(const recurrent_shape *shape, const float *w, float *packed, long begin,
                         long end);
    void (*pack_backward)(const recurrent_shape *shape, const float *w, float *packed, long begin,
                          long end);
    /* All steps of rows [begin, end) of the batch, which do not depend on others. work:
       work_floats(shape, end - begin) numbers on a border of 64 bytes, as packed is. */
    long (*work_floats)(const recurrent_shape *shape, long rows);
    void (*forward)(const recurrent_shape *shape, const recurrent_run *run, long begin, long end,
                    float *work);
    void (*backward)(const recurrent_shape *shape, const recurrent_back *run, long begin, long end,
                     float *work);
} recurrent_kernels;

extern const recurrent_kernels recurrent_baseline, recurrent_avx2, recurrent_avx512;

#ifdef __cplusplus
}
#endif
#endif
