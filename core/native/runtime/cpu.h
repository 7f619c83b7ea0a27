// Which instruction set the kernels are taken for.
#pragma once

namespace triptych {

enum class Set { baseline, avx2, avx512 };

// The best set this processor has, or a lesser one that TRIPTYCH_NATIVE names.
Set instruction_set();
const char *instruction_set_name();

// What the processor has beside the set for products of bytes, as short_way of
// kernels/short_gemm.h counts it: 0, 1 or 2. With a set that TRIPTYCH_NATIVE names, 0.
int product_instructions();
// The same for products of bfloat16.
int bfloat16_instructions();

} // namespace triptych

#if defined(__x86_64__) || defined(__i386__)
#define TRIPTYCH_PICK(family)                                                                      \
    (::triptych::instruction_set() == ::triptych::Set::avx512 ? family##_avx512                    \
     : ::triptych::instruction_set() == ::triptych::Set::avx2 ? family##_avx2                      \
                                                              : family##_baseline)
#else
#define TRIPTYCH_PICK(family) family##_baseline
#endif
