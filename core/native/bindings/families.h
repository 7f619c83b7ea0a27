// Families of kernels add their functions to the module by being linked in:
//     const Family family([](nanobind::module_ &m) { m.def("softmax", ...); });
#pragma once

#include <nanobind/nanobind.h>

namespace triptych {

class Family {
  public:
    using Bind = void (*)(nanobind::module_ &);
    explicit Family(Bind bind) : bind(bind), next(first) { first = this; }
    const Bind bind;
    Family *const next;
    static inline Family *first = nullptr;
};

} // namespace triptych
