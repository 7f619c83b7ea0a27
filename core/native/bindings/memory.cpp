// The allocator as NumPy's: NEP 49, a data-allocation policy.
#include "runtime/allocator.h"

#include "bindings/array.h"
#include "bindings/families.h"

#include <cstdlib>
#include <cstring>

namespace triptych {
namespace {

void *new_memory(void *, std::size_t size) { return allocate(size, false); }
void *new_zeros(void *, std::size_t count, std::size_t size) {
    std::size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? nullptr : allocate(bytes, true);
}
void *moved(void *, void *memory, std::size_t size) { return reallocate(memory, size); }
void given_back(void *, void *memory, std::size_t) { release(memory); }

PyDataMem_Handler handler = {"triptych", 1, {nullptr, new_memory, new_zeros, moved, given_back}};

PyObject *capsule() {
    static PyObject *const made = PyCapsule_New(&handler, "mem_handler", nullptr);
    return made;
}

bool turned_off() {
    const char *asked = std::getenv("TRIPTYCH_ALLOCATOR");
    return asked && !std::strcmp(asked, "0");
}

} // namespace

namespace {

// The policy belongs to a context: each thread starts with an empty one.
void set_policy() {
    static const bool off = turned_off();
    if (off) return;
    PyObject *before = PyDataMem_SetHandler(capsule());
    if (!before) nb::raise_python_error();
    Py_DECREF(before);
}

} // namespace

void use_own_memory() {
    thread_local bool done = false;
    if (done) return;
    done = true;
    set_policy();
}

namespace {

nb::dict stats() {
    const MemoryStats now = memory_stats();
    nb::dict found;
    found["allocated"] = now.allocated;
    found["reserved"] = now.reserved;
    found["max_allocated"] = now.max_allocated;
    found["limit"] = now.limit;
    found["reused"] = now.reused;
    found["fresh"] = now.fresh;
    return found;
}

const Family family([](nb::module_ &m) {
    m.def("use_own_memory", &set_policy, "In the current context.");
    m.def("memory_stats", &stats);
    m.def("reset_peak_memory_stats", &reset_peak_memory_stats);
    m.def("set_memory_limit", &set_memory_limit, nb::arg("bytes"));
    m.def("empty_cache", &empty_cache);
});

} // namespace
} // namespace triptych
