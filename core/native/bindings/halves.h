// float16 and bfloat16 in bindings.
//
// Kernels compute in float32. A binding that walks over its arrays converts a piece at a time in
// memory of its own; for all others, Override converts whole arrays: see through_float32.
#pragma once

#include "bindings/array.h"
#include "kernels/half.h"

namespace triptych {

// NumPy's number for bfloat16, a type that ml_dtypes adds: -1 before Python has told.
inline int bfloat16_type = -1;

inline half_kind kind_of(int type) {
    if (type == NPY_FLOAT16) return HALF_FLOAT16;
    return type == bfloat16_type && type >= 0 ? HALF_BFLOAT16 : HALF_NONE;
}
inline half_kind kind_of(nb::handle value) {
    if (!PyArray_CheckExact(value.ptr())) return HALF_NONE;
    return kind_of(PyArray_TYPE(reinterpret_cast<PyArrayObject *>(value.ptr())));
}
// The type of arrays of a kind; without one, float32.
inline int type_of(half_kind kind) {
    return kind == HALF_NONE ? NPY_FLOAT32 : kind == HALF_FLOAT16 ? NPY_FLOAT16 : bfloat16_type;
}

inline bool is_number(nb::handle value) {
    return PyFloat_CheckExact(value.ptr()) || PyLong_CheckExact(value.ptr());
}
// A Python number as NumPy takes it beside halves: rounded to one. Infinite if it is too large.
inline float rounded_number(nb::handle value, half_kind kind) {
    const double exact = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred()) PyErr_Clear();
    float x = static_cast<float>(exact);
    uint16_t half;
    TRIPTYCH_PICK(half).narrow(kind, &x, &half, 1);
    TRIPTYCH_PICK(half).widen(kind, &half, &x, 1);
    return x;
}

// Calls compute(memory, rows) for some rows of x at a time as float32, and writes what it leaves
// there to y.
template <class Compute>
void through_rows(half_kind kind, const uint16_t *x, uint16_t *y, long rows, long length,
                  float *memory, long most, Compute &&compute) {
    const half_kernels &kernels = TRIPTYCH_PICK(half);
    for (long i = 0; i < rows; i += most) {
        const long now = std::min(most, rows - i), at = i * length;
        kernels.widen(kind, x + at, memory, now * length);
        compute(memory, now);
        kernels.narrow(kind, memory, y + at, now * length);
    }
}

// How many rows of a length are converted at a time: as much as stays in the first-level cache.
inline long rows_at_once(long length) { return std::max(1L, 4096 / std::max(1L, length)); }

// What function gives for its halves as float32, as halves again; NotImplemented where its floating
// arrays are not all of one kind of halves.
PyObject *through_float32(PyObject *function, PyObject *const *args, size_t nargsf,
                          PyObject *names);

} // namespace triptych
