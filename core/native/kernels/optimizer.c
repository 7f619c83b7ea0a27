/* Each number is read and written once; the rules are those of core/src/triptych/optim, in the same
   order of operations. Without decay the parameter stays out of the gradient, where it would make
   NaN of an infinity. */
#include "optimizer.h"

#include "vector.h"

INLINE float with_decay(float g, float p, float decay) {
    return decay != 0.0f ? g + decay * p : g;
}

static void sgd(float *restrict p, const float *restrict g, float *restrict b, long n,
                const sgd_options *o) {
    const float lr = o->lr, momentum = o->momentum, undamped = o->undamped;
    const float decay = o->weight_decay, sign = o->sign;
    if (!b) {
        for (long i = 0; i < n; i++) p[i] -= with_decay(sign * g[i], p[i], decay) * lr;
    } else if (o->nesterov) {
        for (long i = 0; i < n; i++) {
            float d = with_decay(sign * g[i], p[i], decay);
            b[i] = b[i] * momentum + d * undamped;
            p[i] -= (d + momentum * b[i]) * lr;
        }
    } else {
        for (long i = 0; i < n; i++) {
            b[i] = b[i] * momentum + with_decay(sign * g[i], p[i], decay) * undamped;
            p[i] -= b[i] * lr;
        }
    }
}

static void adam(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                 long n, const adam_options *options) {
    const adam_options o = *options;
    for (long i = 0; i < n; i++) {
        float old = p[i] * o.shrink, d = with_decay(o.sign * g[i], old, o.weight_decay);
        float mean = m[i] + (d - m[i]) * o.new_mean, square = v[i] * o.keep_square;
        square += d * d * o.new_square;
        m[i] = mean, v[i] = square;
        p[i] = old - o.rate * (mean / (__builtin_sqrtf(square) * o.scale + o.eps));
    }
}

/* The plain twins, which the checks compare with: textbook formulas in double precision. */
__attribute__((unused)) static void sgd_plain(float *p, const float *g, float *b, long n,
                                              const sgd_options *o) {
    for (long i = 0; i < n; i++) {
        double d = (double)o->sign * g[i] + (double)o->weight_decay * p[i], step = d;
        if (b) {
            double kept = (double)o->momentum * b[i] + (double)o->undamped * d;
            step = o->nesterov ? d + (double)o->momentum * kept : kept;
            b[i] = (float)kept;
        }
        p[i] = (float)(p[i] - o->lr * step);
    }
}
__attribute__((unused)) static void adam_plain(float *p, const float *g, float *m, float *v, long n,
                                               const adam_options *o) {
    for (long i = 0; i < n; i++) {
        double old = (double)p[i] * o->shrink;
        double d = (double)o->sign * g[i] + o->weight_decay * old;
        double mean = (1 - (double)o->new_mean) * m[i] + o->new_mean * d;
        double square = (double)o->keep_square * v[i] + o->new_square * d * d;
        m[i] = (float)mean, v[i] = (float)square;
        p[i] = (float)(old - o->rate * mean / (__builtin_sqrt(square) * o->scale + o->eps));
    }
}

const optimizer_kernels KERNEL(optimizer) = {sgd, adam};
