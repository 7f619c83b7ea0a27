#include "check.h"

#include "../kernels/sample.c"

/* Maps that stay close to the image, those that leave it far, and NaN. */
static sample_map random_map(long rows, long columns) {
    sample_map map = {.kind = (sample_kind)random_between(0, 2)};
    const float reach = random_bits() % 4 ? 1.5f : 1e9f;
    float *const all[] = {&map.a, &map.b, &map.c, &map.d, &map.e, &map.f};
    for (int i = 0; i < 6; i++) *all[i] = random_float(reach) / (float)(columns + 1);
    map.g = random_float(0.1f), map.h = random_float(0.1f);
    map.center_x = random_float((float)columns), map.center_y = random_float((float)rows);
    map.half_width = map.half_height = 1;
    float *x = guarded_floats(rows * columns, reach), *y = guarded_floats(rows * columns, reach);
    if (rows * columns > 0) x[random_between(0, rows * columns - 1)] = (float)NAN;
    map.x = x, map.y = y;
    return map;
}

static void check_places(long height, long width, long columns, const sample_map *map,
                         const float *x, const float *y, long row) {
    (void)map, (void)row;
    for (long i = 0; i < columns; i++)
        if (!(x[i] >= -1 && x[i] <= (float)width && y[i] >= -1 && y[i] <= (float)height)) {
            printf("places: (%g, %g) is out of reach\n", x[i], y[i]);
            exit(1);
        }
}

static void check_given(const sample_map *map, long row, long columns, long height, long width,
                        const float *x, const float *y) {
    if (map->kind != SAMPLE_GIVEN) return;
    const float *given[] = {map->x, map->y}, *got[] = {x, y};
    const long length[] = {width, height};
    for (int axis = 0; axis < 2; axis++)
        for (long i = 0; i < columns; i++) {
            const volatile float wide = (given[axis][row * columns + i] + 1) * (float)length[axis];
            const volatile float place = (wide - 1) * 0.5f;
            float want = place > -1 ? place : -1; /* NaN, too */
            want = want < (float)length[axis] ? want : (float)length[axis];
            check_close("given places", got[axis] + i, &want, 1, 0, 0);
        }
}

static void check_sample(void) {
    const long height = random_size(40) + 1, width = random_size(40) + 1;
    const long columns = random_size(70), rows = random_between(1, 4), row = rows - 1;
    const long channels = random_between(0, 4), size = height * width;
    const int bilinear = random_bits() % 2, filled = random_bits() % 2;
    const sample_map map = random_map(rows, columns);
    const long padded = (columns + SAMPLE_LANES - 1) / SAMPLE_LANES * SAMPLE_LANES;
    float *x = guarded_floats(padded, 1), *y = guarded_floats(padded, 1);
    places(&map, row, columns, height, width, x, y);
    check_places(height, width, columns, &map, x, y, row);
    check_given(&map, row, columns, height, width, x, y);
    uint8_t *small = guarded(channels * size, 1), *got_small = guarded(channels * columns, 1);
    float *wide_ = guarded(channels * size, 4), *got = guarded(channels * columns, 4);
    float *fill = guarded(channels, 4);
    for (long i = 0; i < channels * size; i++) wide_[i] = small[i] = (uint8_t)random_bits();
    for (long c = 0; c < channels; c++) fill[c] = (float)(random_bits() % 256);
    const sample_image of_bytes = {small, channels, height, width, filled ? fill : 0};
    const sample_image of_floats = {wide_, channels, height, width, filled ? fill : 0};
    bytes(&of_bytes, bilinear, x, y, columns, got_small, columns);
    floats(&of_floats, bilinear, x, y, columns, got, columns);
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < columns; i++) {
            const float want = sample_plain(wide_ + c * size, height, width, bilinear, x[i], y[i],
                                            filled ? fill + c : 0);
            const float rounded = rintf(want), as_byte = got_small[c * columns + i];
            check_close("floats", got + c * columns + i, &want, 1, 0, 0);
            check_close("bytes", &as_byte, &rounded, 1, 0, 0);
        }
    check_done();
}

int main(void) {
    for (int round = 0; round < 1500; round++) check_sample();
    puts("sample: 1500 shapes");
    return 0;
}
