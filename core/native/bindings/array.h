// NumPy arrays as kernels see them, and what every binding shares.
//
// A binding is a function that either computes or gives NotImplemented, when an argument is not
// what its kernel is for; the caller then takes the NumPy path. It never converts anything.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL triptych_numpy
#ifndef TRIPTYCH_MODULE
#define NO_IMPORT_ARRAY
#endif

#include <nanobind/nanobind.h>
#include <numpy/arrayobject.h>

#include <algorithm>
#include <initializer_list>

#include "runtime/cpu.h"
#include "runtime/threads.h"

namespace triptych {

namespace nb = nanobind;

// Below this many numbers, giving up the GIL and waking threads costs more than it gains.
constexpr long SMALL = 16384;

// Makes NumPy take memory from runtime/allocator.h, in this thread.
void use_own_memory();

inline nb::object not_implemented() { return nb::borrow(Py_NotImplemented); }

// A packed (C order, aligned, native byte order) array of one dtype; empty() if it is anything else.
struct Array {
    PyArrayObject *object = nullptr;

    static Array packed(nb::handle value, int type = NPY_FLOAT32) {
        if (!PyArray_CheckExact(value.ptr())) return {};
        auto *a = reinterpret_cast<PyArrayObject *>(value.ptr());
        const bool fits = PyArray_TYPE(a) == type && PyArray_IS_C_CONTIGUOUS(a) &&
                          PyArray_ISALIGNED(a) && PyArray_ISNOTSWAPPED(a);
        return fits ? Array{a} : Array{};
    }

    explicit operator bool() const { return object != nullptr; }
    int ndim() const { return PyArray_NDIM(object); }
    long size() const { return static_cast<long>(PyArray_SIZE(object)); }
    const npy_intp *shape() const { return PyArray_DIMS(object); }
    long shape(int axis) const { return static_cast<long>(shape()[axis < 0 ? axis + ndim() : axis]); }
    template <class T = float> T *data() const { return static_cast<T *>(PyArray_DATA(object)); }
    bool same_shape(const Array &other) const {
        return ndim() == other.ndim() && std::equal(shape(), shape() + ndim(), other.shape());
    }
};

// A new packed array that owns its memory.
struct Result {
    nb::object object;
    Array array;

    Result(int ndim, const npy_intp *shape, int type = NPY_FLOAT32) {
        use_own_memory();
        object = nb::steal(PyArray_EMPTY(ndim, shape, type, 0));
        if (!object.is_valid()) nb::raise_python_error();
        array.object = reinterpret_cast<PyArrayObject *>(object.ptr());
    }
    Result(std::initializer_list<npy_intp> shape, int type = NPY_FLOAT32)
        : Result(static_cast<int>(shape.size()), shape.begin(), type) {}
    static Result like(const Array &a, int type = NPY_FLOAT32) {
        return Result(a.ndim(), a.shape(), type);
    }
    template <class T = float> T *data() const { return array.data<T>(); }
};

// Gives up the GIL while large work is done.
class Unlocked {
  public:
    explicit Unlocked(long size) : saved_(size >= SMALL ? PyEval_SaveThread() : nullptr) {}
    ~Unlocked() {
        if (saved_) PyEval_RestoreThread(saved_);
    }
    Unlocked(const Unlocked &) = delete;
    Unlocked &operator=(const Unlocked &) = delete;

  private:
    PyThreadState *saved_;
};

// Counts how often a kernel was taken, so that tests can tell; `_native.calls()` reads all.
class Counter {
  public:
    explicit Counter(const char *name) : name(name), next(first) { first = this; }
    void operator++(int) { count++; }
    const char *const name;
    long count = 0;
    Counter *const next;
    static inline Counter *first = nullptr;
};

} // namespace triptych
