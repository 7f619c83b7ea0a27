// The extension triptych._native.
#define TRIPTYCH_MODULE
#include "bindings/array.h"
#include "bindings/families.h"

namespace nb = nanobind;
using namespace triptych;

namespace {

nb::dict calls() {
    nb::dict counts;
    for (const Counter *c = Counter::first; c; c = c->next) counts[c->name] = c->count;
    return counts;
}

int import_numpy() {
    import_array1(-1);
    return 0;
}

} // namespace

NB_MODULE(_native, m) {
    if (import_numpy() < 0) nb::raise_python_error();
    m.def("calls", &calls, "How often each kernel was taken, by name.");
    m.def("num_threads", &num_threads);
    m.def("set_num_threads", &set_num_threads, nb::arg("count"));
    m.def("instruction_set", &instruction_set_name);
    for (const Family *family = Family::first; family; family = family->next) family->bind(m);
    use_own_memory();
}
