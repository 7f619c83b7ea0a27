// Connectionist temporal classification, a sample at a time.
#include "kernels/ctc.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter ctc_taken("ctc"), ctc_grad_taken("ctc_grad");

// x (t, n, c), labels (n, s), used (n,), spans (n,).
struct Batch {
    Array x, labels, used, spans;
    long blank;

    // Whether the kernels are for it: lengths and labels that point into the arrays.
    bool fits() const {
        if (!x || !labels || !used || !spans || x.ndim() != 3 || labels.ndim() != 2) return false;
        const long n = x.shape(1), classes = x.shape(2), most = labels.shape(1);
        if (labels.shape(0) != n || used.ndim() != 1 || used.shape(0) != n ||
            !spans.same_shape(used) || blank < 0 || blank >= classes)
            return false;
        for (long i = 0; i < n; i++) {
            const long count = at(spans, i), steps = at(used, i);
            if (count < 0 || count > most || steps < 0 || steps > x.shape(0)) return false;
            for (long k = 0; k < count; k++)
                if (at(labels, i * most + k) < 0 || at(labels, i * most + k) >= classes)
                    return false;
        }
        return true;
    }

    ctc_sample sample(long i) const {
        const long classes = x.shape(2);
        return {x.data() + i * classes,
                x.shape(1) * classes,
                static_cast<long>(at(used, i)),
                classes,
                labels.data<long long>() + i * labels.shape(1),
                static_cast<long>(at(spans, i)),
                blank};
    }

    static long long at(const Array &a, long i) { return a.data<long long>()[i]; }
};

Batch batch_of(nb::handle x, nb::handle labels, nb::handle used, nb::handle spans, long blank) {
    return {Array::packed(x), Array::packed(labels, NPY_INT64), Array::packed(used, NPY_INT64),
            Array::packed(spans, NPY_INT64), blank};
}

nb::object forward(nb::handle x, nb::handle labels, nb::handle used, nb::handle spans, long blank,
                   bool) {
    const Batch batch = batch_of(x, labels, used, spans, blank);
    if (!batch.fits()) return not_implemented();
    ctc_taken++;
    const Result losses = Result::like(batch.used, NPY_FLOAT32);
    const auto &kernels = TRIPTYCH_PICK(ctc);
    {
        const Unlocked unlocked(batch.x.size());
        parallel(batch.x.shape(1), 1, [&](long begin, long end) {
            for (long i = begin; i < end; i++) {
                const ctc_sample s = batch.sample(i);
                losses.data()[i] =
                    kernels.forward(&s, scratch_floats(kernels.work_floats(s.count, 2)));
            }
        });
    }
    return losses.object;
}

nb::object backward(nb::handle gradient, nb::handle x, nb::handle labels, nb::handle used,
                    nb::handle spans, long blank, bool logits) {
    const Batch batch = batch_of(x, labels, used, spans, blank);
    const Array g = Array::packed(gradient);
    if (!g || !batch.fits() || !g.same_shape(batch.used)) return not_implemented();
    ctc_grad_taken++;
    const Result dx = Result::like(batch.x);
    const auto &kernels = TRIPTYCH_PICK(ctc);
    const long steps = batch.x.shape(0), classes = batch.x.shape(2);
    {
        const Unlocked unlocked(batch.x.size());
        parallel(batch.x.shape(1), 1, [&](long begin, long end) {
            for (long i = begin; i < end; i++) {
                const ctc_sample s = batch.sample(i);
                float *out = dx.data() + i * classes;
                kernels.backward(&s, g.data()[i], logits, out,
                                 scratch_floats(kernels.work_floats(s.count, s.steps + 4)));
                for (long t = s.steps; t < steps; t++) std::fill_n(out + t * s.step, classes, 0.0f);
            }
        });
    }
    return dx.object;
}

const Family family([](nb::module_ &m) {
    m.def("ctc", &forward, nb::arg("x"), nb::arg("labels"), nb::arg("used"), nb::arg("spans"),
          nb::kw_only(), nb::arg("blank"), nb::arg("logits"));
    m.def("ctc_grad", &backward, nb::arg("g"), nb::arg("x"), nb::arg("labels"), nb::arg("used"),
          nb::arg("spans"), nb::kw_only(), nb::arg("blank"), nb::arg("logits"));
});

} // namespace
} // namespace triptych
