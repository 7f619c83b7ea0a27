// hipRAND on the CPU: uniform and normal numbers of the standard library's Mersenne twister.
#include <cmath>
#include <cstddef>
#include <random>

#define API extern "C" __attribute__((visibility("default")))
struct Generator {
    std::mt19937_64 bits;
    unsigned long long seed = 0;
};
static Generator &of(void *generator) { return *(Generator *)generator; }

API int hiprandCreateGenerator(void **generator, int) { *generator = new Generator; return 0; }
API int hiprandDestroyGenerator(void *generator) { delete &of(generator); return 0; }
API int hiprandGetVersion(int *version) { *version = 300000; return 0; }
API int hiprandSetStream(void *, void *) { return 0; }
API int hiprandSetPseudoRandomGeneratorSeed(void *generator, unsigned long long seed) {
    of(generator).seed = seed;
    of(generator).bits.seed(seed);
    return 0;
}
API int hiprandSetGeneratorOffset(void *generator, unsigned long long offset) {
    of(generator).bits.seed(of(generator).seed);
    of(generator).bits.discard(offset);
    return 0;
}
API int hiprandGenerate(void *generator, unsigned *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = (unsigned)(of(generator).bits() >> 32);
    return 0;
}

// (0, 1], as the library has it.
static double uniform(void *generator) {
    return ((of(generator).bits() >> 11) + 1) * (1.0 / 9007199254740993.0);
}
// Box and Muller 1958.
static double normal(void *generator) {
    double radius = std::sqrt(-2 * std::log(uniform(generator)));
    return radius * std::cos(2 * M_PI * uniform(generator));
}
#define DISTRIBUTIONS(suffix, T)                                                                \
    API int hiprandGenerateUniform##suffix(void *g, T *to, size_t count) {                      \
        for (size_t i = 0; i < count; i++) to[i] = (T)uniform(g);                               \
        return 0;                                                                               \
    }                                                                                           \
    API int hiprandGenerateNormal##suffix(void *g, T *to, size_t count, T mean, T deviation) {  \
        for (size_t i = 0; i < count; i++) to[i] = (T)(mean + deviation * normal(g));           \
        return 0;                                                                               \
    }                                                                                           \
    API int hiprandGenerateLogNormal##suffix(void *g, T *to, size_t count, T mean, T deviation) { \
        for (size_t i = 0; i < count; i++) to[i] = (T)std::exp(mean + deviation * normal(g));   \
        return 0;                                                                               \
    }
DISTRIBUTIONS(, float)
DISTRIBUTIONS(Double, double)
API int hiprandGeneratePoisson(void *generator, unsigned *to, size_t count, double mean) {
    std::poisson_distribution<unsigned> draw(mean);
    for (size_t i = 0; i < count; i++) to[i] = draw(of(generator).bits);
    return 0;
}
