// Steps of optimizers, over packed float32.
#include "kernels/optimizer.h"

#include "bindings/array.h"
#include "bindings/families.h"

#include <initializer_list>

namespace triptych {
namespace {

Counter sgd_taken("sgd"), adam_taken("adam");

bool writeable(const Array &x) { return PyArray_ISWRITEABLE(x.object); }

// Whether all are there, of one shape, and none is in the memory of another.
bool apart(std::initializer_list<Array> arrays) {
    for (auto a = arrays.begin(); a != arrays.end(); a++) {
        if (!*a || !a->same_shape(*arrays.begin())) return false;
        for (auto b = arrays.begin(); b != a; b++)
            if (a->data() < b->data() + b->size() && b->data() < a->data() + a->size())
                return false;
    }
    return true;
}

bool sgd_step(nb::handle param, nb::handle grad, nb::handle buffer, double lr, double momentum,
              double dampening, double weight_decay, bool nesterov, bool maximize) {
    const Array p = Array::packed(param), g = Array::packed(grad), b = Array::packed(buffer);
    const bool fits = buffer.is_none() ? apart({p, g}) : apart({p, g, b}) && writeable(b);
    if (!fits || !writeable(p)) return false;
    sgd_taken++;
    const sgd_options options{static_cast<float>(lr),           static_cast<float>(momentum),
                              static_cast<float>(1 - dampening), static_cast<float>(weight_decay),
                              maximize ? -1.0f : 1.0f,          nesterov};
    const auto &kernels = TRIPTYCH_PICK(optimizer);
    float *const memory = b ? b.data() : nullptr;
    const Unlocked unlocked(p.size());
    parallel(p.size(), SMALL, [&](long begin, long end) {
        kernels.sgd(p.data() + begin, g.data() + begin, memory ? memory + begin : nullptr,
                    end - begin, &options);
    });
    return true;
}

bool adam_step(nb::handle param, nb::handle grad, nb::handle mean, nb::handle square, double beta1,
               double beta2, double shrink, double weight_decay, double rate, double scale,
               double eps, bool maximize) {
    const Array p = Array::packed(param), g = Array::packed(grad), m = Array::packed(mean),
                v = Array::packed(square);
    if (!apart({p, g, m, v}) || !writeable(p) || !writeable(m) || !writeable(v)) return false;
    adam_taken++;
    const adam_options options{static_cast<float>(1 - beta1),    static_cast<float>(beta2),
                               static_cast<float>(1 - beta2),    static_cast<float>(shrink),
                               static_cast<float>(weight_decay), maximize ? -1.0f : 1.0f,
                               static_cast<float>(rate),         static_cast<float>(scale),
                               static_cast<float>(eps)};
    const auto &kernels = TRIPTYCH_PICK(optimizer);
    const Unlocked unlocked(p.size());
    parallel(p.size(), SMALL, [&](long begin, long end) {
        kernels.adam(p.data() + begin, g.data() + begin, m.data() + begin, v.data() + begin,
                     end - begin, &options);
    });
    return true;
}

const Family family([](nb::module_ &m) {
    m.def("sgd_step", &sgd_step, nb::arg("param"), nb::arg("grad"), nb::arg("buffer").none(),
          nb::arg("lr"), nb::arg("momentum"), nb::arg("dampening"), nb::arg("weight_decay"),
          nb::arg("nesterov"), nb::arg("maximize"));
    m.def("adam_step", &adam_step, nb::arg("param"), nb::arg("grad"), nb::arg("mean"),
          nb::arg("square"), nb::arg("beta1"), nb::arg("beta2"), nb::arg("shrink"),
          nb::arg("weight_decay"), nb::arg("rate"), nb::arg("scale"), nb::arg("eps"),
          nb::arg("maximize"));
});

} // namespace
} // namespace triptych
