// hipBLAS on the CPU: products of matrices, in plain loops. Matrices are in column order.
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))
typedef std::complex<float> complex64;
typedef std::complex<double> complex128;
typedef _Float16 float16;
enum { SUCCESS = 0, NOT_SUPPORTED = 7 };
enum Transpose { PLAIN = 111, TRANSPOSED = 112, ADJOINT = 113 };

// bfloat16 rounds to nearest even from float.
struct bfloat16 {
    uint16_t bits;
    bfloat16() = default;
    bfloat16(float f) {
        uint32_t u = __builtin_bit_cast(uint32_t, f);
        bits = f != f ? 0x7fff : (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
    operator float() const { return __builtin_bit_cast(float, (uint32_t)bits << 16); }
};

struct Handle {
    void *stream;
    int pointer_mode;
};
API int hipblasCreate(void **handle) { *handle = new Handle{nullptr, 0}; return SUCCESS; }
API int hipblasDestroy(void *handle) { delete (Handle *)handle; return SUCCESS; }
API int hipblasSetStream(void *handle, void *s) { ((Handle *)handle)->stream = s; return SUCCESS; }
API int hipblasGetStream(void *handle, void **s) { *s = ((Handle *)handle)->stream; return SUCCESS; }
API int hipblasSetPointerMode(void *h, int m) { ((Handle *)h)->pointer_mode = m; return SUCCESS; }
API int hipblasGetPointerMode(void *h, int *m) { *m = ((Handle *)h)->pointer_mode; return SUCCESS; }

template <class T> static T conjugate(T x) { return x; }
static complex64 conjugate(complex64 x) { return std::conj(x); }
static complex128 conjugate(complex128 x) { return std::conj(x); }

// op(A) as (rows, columns) in column order, in the type that sums are kept in.
template <class C, class T>
static std::vector<C> packed(int op, const T *a, int rows, int columns, int stride) {
    std::vector<C> out((size_t)rows * columns);
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            C v = (C)(op == PLAIN ? a[i + (size_t)j * stride] : a[j + (size_t)i * stride]);
            out[i + (size_t)j * rows] = op == ADJOINT ? conjugate(v) : v;
        }
    return out;
}

// c = alpha op(A) op(B) + beta c, for c of (m, n) and a sum over k.
template <class In, class Out, class C>
static void gemm(int op_a, int op_b, int m, int n, int k, C alpha, const In *a, int lda, const In *b,
                 int ldb, C beta, Out *c, int ldc) {
    std::vector<C> left = packed<C>(op_a, a, m, k, lda), right = packed<C>(op_b, b, k, n, ldb);
    std::vector<C> column(m);
    for (int j = 0; j < n; j++) {
        std::fill(column.begin(), column.end(), C(0));
        for (int p = 0; p < k; p++)
            for (int i = 0; i < m; i++)
                column[i] += left[i + (size_t)p * m] * right[p + (size_t)j * k];
        for (int i = 0; i < m; i++) {
            Out &to = c[i + (size_t)j * ldc];
            to = (Out)(beta == C(0) ? alpha * column[i] : alpha * column[i] + beta * (C)to);
        }
    }
}

template <class T>
static void gemv(int op, int m, int n, T alpha, const T *a, int lda, const T *x, int step_x, T beta,
                 T *y, int step_y) {
    int rows = op == PLAIN ? m : n, columns = op == PLAIN ? n : m;
    std::vector<T> matrix = packed<T>(op, a, rows, columns, lda);
    for (int i = 0; i < rows; i++) {
        T sum = 0;
        for (int j = 0; j < columns; j++)
            sum += matrix[i + (size_t)j * rows] * x[(size_t)j * step_x];
        T &to = y[(size_t)i * step_y];
        to = beta == T(0) ? alpha * sum : alpha * sum + beta * to;
    }
}

#define ROUTINES(X, T)                                                                           \
    API int hipblas##X##gemm(void *, int op_a, int op_b, int m, int n, int k, const T *alpha,    \
                             const T *a, int lda, const T *b, int ldb, const T *beta, T *c,      \
                             int ldc) {                                                          \
        gemm<T, T, T>(op_a, op_b, m, n, k, *alpha, a, lda, b, ldb, *beta, c, ldc);               \
        return SUCCESS;                                                                          \
    }                                                                                            \
    API int hipblas##X##gemmStridedBatched(                                                      \
        void *, int op_a, int op_b, int m, int n, int k, const T *alpha, const T *a, int lda,    \
        long long step_a, const T *b, int ldb, long long step_b, const T *beta, T *c, int ldc,   \
        long long step_c, int count) {                                                           \
        for (int i = 0; i < count; i++)                                                          \
            gemm<T, T, T>(op_a, op_b, m, n, k, *alpha, a + i * step_a, lda, b + i * step_b, ldb, \
                          *beta, c + i * step_c, ldc);                                           \
        return SUCCESS;                                                                          \
    }                                                                                            \
    API int hipblas##X##gemmBatched(void *, int op_a, int op_b, int m, int n, int k,             \
                                    const T *alpha, const T *const *a, int lda,                  \
                                    const T *const *b, int ldb, const T *beta, T *const *c,      \
                                    int ldc, int count) {                                        \
        for (int i = 0; i < count; i++)                                                          \
            gemm<T, T, T>(op_a, op_b, m, n, k, *alpha, a[i], lda, b[i], ldb, *beta, c[i], ldc);  \
        return SUCCESS;                                                                          \
    }                                                                                            \
    API int hipblas##X##gemv(void *, int op, int m, int n, const T *alpha, const T *a, int lda,  \
                             const T *x, int step_x, const T *beta, T *y, int step_y) {          \
        gemv<T>(op, m, n, *alpha, a, lda, x, step_x, *beta, y, step_y);                          \
        return SUCCESS;                                                                          \
    }                                                                                            \
    API int hipblas##X##geam(void *, int op_a, int op_b, int m, int n, const T *alpha,           \
                             const T *a, int lda, const T *beta, const T *b, int ldb, T *c,      \
                             int ldc) {                                                          \
        std::vector<T> left = packed<T>(op_a, a, m, n, lda);                                     \
        std::vector<T> right((size_t)m *n, T(0));                                                \
        if (*beta != T(0)) right = packed<T>(op_b, b, m, n, ldb);                                \
        for (int j = 0; j < n; j++)                                                              \
            for (int i = 0; i < m; i++)                                                          \
                c[i + (size_t)j * ldc] =                                                         \
                    *alpha * left[i + (size_t)j * m] + *beta * right[i + (size_t)j * m];         \
        return SUCCESS;                                                                          \
    }
ROUTINES(S, float)
ROUTINES(D, double)
ROUTINES(C, complex64)
ROUTINES(Z, complex128)

#define DOT(name, T, left)                                                                       \
    API int hipblas##name(void *, int n, const T *x, int step_x, const T *y, int step_y, T *r) { \
        T sum = 0;                                                                               \
        for (int i = 0; i < n; i++)                                                              \
            sum += left(x[(size_t)i * step_x]) * y[(size_t)i * step_y];                          \
        *r = sum;                                                                                \
        return SUCCESS;                                                                          \
    }
DOT(Sdot, float, )
DOT(Ddot, double, )
DOT(Cdotu, complex64, )
DOT(Zdotu, complex128, )
DOT(Cdotc, complex64, conjugate)
DOT(Zdotc, complex128, conjugate)

// hipDataType
enum Type { F32 = 0, F64 = 1, F16 = 2, I8 = 3, C64 = 4, C128 = 5, I32 = 10, BF16 = 14 };

struct Product {
    int op_a, op_b, m, n, k;
    const void *alpha, *beta;
    int lda, ldb, ldc;
};
template <class In, class Out, class C>
static void run(const Product &p, const void *a, const void *b, void *c) {
    gemm<In, Out, C>(p.op_a, p.op_b, p.m, p.n, p.k, *(const C *)p.alpha, (const In *)a, p.lda,
                     (const In *)b, p.ldb, *(const C *)p.beta, (Out *)c, p.ldc);
}
typedef void (*Runner)(const Product &, const void *, const void *, void *);
struct Entry {
    int in, out, in_bytes, out_bytes;
    Runner run;
};
static const Entry ENTRIES[] = {
    {F16, F16, 2, 2, run<float16, float16, float>},
    {F16, F32, 2, 4, run<float16, float, float>},
    {BF16, BF16, 2, 2, run<bfloat16, bfloat16, float>},
    {BF16, F32, 2, 4, run<bfloat16, float, float>},
    {F32, F32, 4, 4, run<float, float, float>},
    {F64, F64, 8, 8, run<double, double, double>},
    {C64, C64, 8, 8, run<complex64, complex64, complex64>},
    {C128, C128, 16, 16, run<complex128, complex128, complex128>},
    {I8, I32, 1, 4, run<int8_t, int32_t, int32_t>},
};

API int hipblasGemmStridedBatchedEx(void *, int op_a, int op_b, int m, int n, int k,
                                    const void *alpha, const void *a, int type_a, int lda,
                                    long long step_a, const void *b, int type_b, int ldb,
                                    long long step_b, const void *beta, void *c, int type_c,
                                    int ldc, long long step_c, int count, int, int) {
    Product p = {op_a, op_b, m, n, k, alpha, beta, lda, ldb, ldc};
    for (const Entry &e : ENTRIES) {
        if (type_a != e.in || type_b != e.in || type_c != e.out) continue;
        for (int i = 0; i < count; i++)
            e.run(p, (const char *)a + i * step_a * e.in_bytes,
                  (const char *)b + i * step_b * e.in_bytes,
                  (char *)c + i * step_c * e.out_bytes);
        return SUCCESS;
    }
    return NOT_SUPPORTED;
}
API int hipblasGemmEx(void *handle, int op_a, int op_b, int m, int n, int k, const void *alpha,
                      const void *a, int type_a, int lda, const void *b, int type_b, int ldb,
                      const void *beta, void *c, int type_c, int ldc, int compute, int algorithm) {
    return hipblasGemmStridedBatchedEx(handle, op_a, op_b, m, n, k, alpha, a, type_a, lda, 0, b,
                                       type_b, ldb, 0, beta, c, type_c, ldc, 0, 1, compute,
                                       algorithm);
}
