// Override: a fast function before a plain one.
//
// Calls the fast function where the first array, or the one behind it, is large enough, and the
// plain one when it is not or the fast one gives NotImplemented. Where `halves` is set, arrays of
// halves that the fast one does not take come again as float32. In C, since eager dispatch goes
// through it at every call.
#include "bindings/families.h"
#include "bindings/halves.h"

#include <structmember.h>

#include <cstddef>

namespace triptych {
namespace {

struct Override {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *fast, *plain;
    Py_ssize_t least; // numbers in one of the first two arrays
    char halves; // a boolean
};

bool large(PyObject *value, Py_ssize_t least) {
    return PyArray_CheckExact(value) &&
           PyArray_SIZE(reinterpret_cast<PyArrayObject *>(value)) >= least;
}

PyObject *call_override(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
    auto *override = reinterpret_cast<Override *>(self);
    const Py_ssize_t count = PyVectorcall_NARGS(nargsf), least = override->least;
    if ((count > 0 && large(args[0], least)) || (count > 1 && large(args[1], least))) {
        PyObject *found = PyObject_Vectorcall(override->fast, args, nargsf, names);
        if (found != Py_NotImplemented) return found;
        Py_DECREF(found);
        if (override->halves && kind_of(args[0]) != HALF_NONE) {
            found = through_float32(self, args, nargsf, names);
            if (found != Py_NotImplemented) return found;
            Py_DECREF(found);
        }
    }
    return PyObject_Vectorcall(override->plain, args, nargsf, names);
}

PyObject *new_override(PyTypeObject *type, PyObject *args, PyObject *) {
    PyObject *fast, *plain;
    Py_ssize_t least = 0;
    int halves = 0;
    if (!PyArg_ParseTuple(args, "OO|np", &fast, &plain, &least, &halves)) return nullptr;
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) return nullptr;
    auto *override = reinterpret_cast<Override *>(self);
    override->call = call_override;
    override->fast = Py_NewRef(fast);
    override->plain = Py_NewRef(plain);
    override->least = least;
    override->halves = halves;
    return self;
}

int traverse(PyObject *self, visitproc visit, void *arg) {
    auto *override = reinterpret_cast<Override *>(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(override->fast);
    Py_VISIT(override->plain);
    return 0;
}

int clear(PyObject *self) {
    auto *override = reinterpret_cast<Override *>(self);
    Py_CLEAR(override->fast);
    Py_CLEAR(override->plain);
    return 0;
}

void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Override, call), READONLY, nullptr},
    {"fast", T_OBJECT_EX, offsetof(Override, fast), READONLY, nullptr},
    {"plain", T_OBJECT_EX, offsetof(Override, plain), READONLY, nullptr},
    {"least", T_PYSSIZET, offsetof(Override, least), READONLY, nullptr},
    {"halves", T_BOOL, offsetof(Override, halves), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char *>("Override(fast, plain, least=0, halves=False)")},
    {Py_tp_new, reinterpret_cast<void *>(new_override)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_traverse, reinterpret_cast<void *>(traverse)},
    {Py_tp_clear, reinterpret_cast<void *>(clear)},
    {Py_tp_dealloc, reinterpret_cast<void *>(dealloc)},
    {Py_tp_members, members},
    {0, nullptr},
};

PyType_Spec spec = {"triptych._native.Override", sizeof(Override), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, slots};

const Family family([](nb::module_ &m) { m.attr("Override") = nb::steal(PyType_FromSpec(&spec)); });

} // namespace
} // namespace triptych
