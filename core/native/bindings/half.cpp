// Conversions between float32 and halves, and functions of float32 for arrays of halves.
#include "bindings/halves.h"

#include "bindings/families.h"

#include <vector>

namespace triptych {
namespace {

Counter cast_taken("cast"), half_taken("half");

constexpr long GRAIN = 4 * SMALL; // numbers that a thread converts at a time

void convert(half_kind kind, const void *x, void *y, long size, bool widens) {
    const half_kernels &kernels = TRIPTYCH_PICK(half);
    parallel(size, GRAIN, [&](long begin, long end) {
        if (widens)
            kernels.widen(kind, static_cast<const uint16_t *>(x) + begin,
                          static_cast<float *>(y) + begin, end - begin);
        else
            kernels.narrow(kind, static_cast<const float *>(x) + begin,
                           static_cast<uint16_t *>(y) + begin, end - begin);
    });
}

nb::object cast(nb::handle input, nb::handle dtype) {
    if (!PyArray_DescrCheck(dtype.ptr()) || !PyArray_CheckExact(input.ptr()))
        return not_implemented();
    const int to = reinterpret_cast<PyArray_Descr *>(dtype.ptr())->type_num;
    const int from = PyArray_TYPE(reinterpret_cast<PyArrayObject *>(input.ptr()));
    const bool widens = to == NPY_FLOAT32 && kind_of(from) != HALF_NONE;
    if (!widens && (from != NPY_FLOAT32 || kind_of(to) == HALF_NONE)) return not_implemented();
    const Array x = Array::packed(input, from);
    if (!x) return not_implemented();
    cast_taken++;
    const Result y = Result::like(x, to);
    {
        const Unlocked unlocked(x.size());
        convert(kind_of(widens ? from : to), x.data<void>(), y.data<void>(), x.size(), widens);
    }
    return y.object;
}

// A new array of a type, its axes in memory in the order of those of x.
nb::object alike(PyArrayObject *x, int type) {
    use_own_memory();
    PyArray_Descr *descr = PyArray_DescrFromType(type);
    auto found = nb::steal(PyArray_NewLikeArray(x, NPY_KEEPORDER, descr, 0));
    if (!found.is_valid()) nb::raise_python_error();
    return found;
}

// x, or a packed copy where there are gaps between its numbers.
nb::object dense(PyArrayObject *x) {
    const nb::object ordered = alike(x, PyArray_TYPE(x));
    auto *like = reinterpret_cast<PyArrayObject *>(ordered.ptr());
    bool fits = PyArray_ISALIGNED(x) && PyArray_ISNOTSWAPPED(x);
    for (int i = 0; fits && i < PyArray_NDIM(x); i++)
        fits = PyArray_DIM(x, i) == 1 || PyArray_STRIDE(x, i) == PyArray_STRIDE(like, i);
    if (fits) return nb::borrow(reinterpret_cast<PyObject *>(x));
    if (PyArray_CopyInto(like, x) < 0) nb::raise_python_error();
    return ordered;
}

nb::object converted(PyObject *value, half_kind kind, bool widens) {
    const nb::object held = dense(reinterpret_cast<PyArrayObject *>(value));
    auto *x = reinterpret_cast<PyArrayObject *>(held.ptr());
    nb::object made = alike(x, widens ? int(NPY_FLOAT32) : type_of(kind));
    void *to = PyArray_DATA(reinterpret_cast<PyArrayObject *>(made.ptr()));
    const long size = static_cast<long>(PyArray_SIZE(x));
    const Unlocked unlocked(size);
    convert(kind, PyArray_DATA(x), to, size, widens);
    return made;
}

// A result, and those of a tuple: what is float32 becomes halves.
nb::object rounded(nb::object value, half_kind kind) {
    if (PyTuple_CheckExact(value.ptr())) {
        nb::list parts;
        for (nb::handle part : nb::borrow<nb::tuple>(value))
            parts.append(rounded(nb::borrow(part), kind));
        return nb::tuple(parts);
    }
    if (PyArray_IsScalar(value.ptr(), Float32))
        value = nb::steal(PyArray_FromScalar(value.ptr(), nullptr));
    if (!PyArray_CheckExact(value.ptr()) ||
        PyArray_TYPE(reinterpret_cast<PyArrayObject *>(value.ptr())) != NPY_FLOAT32)
        return value;
    return converted(value.ptr(), kind, false);
}

bool is_floating(PyObject *value) {
    if (!PyArray_CheckExact(value)) return PyArray_IsScalar(value, Inexact);
    const int type = PyArray_TYPE(reinterpret_cast<PyArrayObject *>(value));
    return PyTypeNum_ISFLOAT(type) || PyTypeNum_ISCOMPLEX(type);
}

// An array of halves as float32, its axes in memory as they were; anything else as it is.
nb::object widened(nb::handle x) {
    const half_kind kind = kind_of(x);
    return kind == HALF_NONE ? nb::borrow(x) : converted(x.ptr(), kind, true);
}

// An array of float32 as another type, if that is one of halves.
nb::object narrowed(nb::handle x, nb::handle dtype) {
    if (!PyArray_CheckExact(x.ptr()) || !PyArray_DescrCheck(dtype.ptr()))
        throw nb::type_error("narrowed: wanted an array and a dtype");
    const half_kind kind = kind_of(reinterpret_cast<PyArray_Descr *>(dtype.ptr())->type_num);
    return kind == HALF_NONE ? nb::borrow(x) : converted(x.ptr(), kind, false);
}

const Family family([](nb::module_ &m) {
    m.def("cast", &cast, nb::arg("x"), nb::kw_only(), nb::arg("dtype"));
    m.def("widened", &widened, nb::arg("x").none());
    m.def("narrowed", &narrowed, nb::arg("x"), nb::arg("dtype"));
    m.def("set_bfloat16", [](int type) { bfloat16_type = type; }, nb::arg("type"));
});

} // namespace

PyObject *through_float32(PyObject *function, PyObject *const *args, size_t nargsf,
                          PyObject *names) {
    const half_kind kind = kind_of(args[0]);
    const std::size_t given = PyVectorcall_NARGS(nargsf);
    const std::size_t all = given + (names ? PyTuple_GET_SIZE(names) : 0);
    for (std::size_t i = 0; i < all; i++)
        if (kind_of(args[i]) != kind && (kind_of(args[i]) != HALF_NONE || is_floating(args[i])))
            return Py_NewRef(Py_NotImplemented);
    try {
        std::vector<nb::object> held;
        std::vector<PyObject *> wide(args, args + all);
        for (std::size_t i = 0; i < all; i++) {
            if (kind_of(wide[i]) == kind) held.push_back(converted(wide[i], kind, true));
            else if (i < given && is_number(wide[i]))
                held.push_back(nb::float_(rounded_number(wide[i], kind)));
            else continue;
            wide[i] = held.back().ptr();
        }
        PyObject *found = PyObject_Vectorcall(function, wide.data(), given, names);
        if (!found || found == Py_NotImplemented) return found;
        half_taken++;
        return rounded(nb::steal(found), kind).release().ptr();
    } catch (nb::python_error &error) {
        error.restore();
        return nullptr;
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_MemoryError, error.what());
        return nullptr;
    }
}

} // namespace triptych
