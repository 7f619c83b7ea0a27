/* The backward pass of recurrent layers, for the table in recurrent.c. */
#ifndef TRIPTYCH_RECURRENT_BACK_H
#define TRIPTYCH_RECURRENT_BACK_H

#include "recurrent.h"
#include "vector.h"

long KERNEL(recurrent_backward_units)(const recurrent_shape *shape);
long KERNEL(recurrent_backward_floats)(const recurrent_shape *shape);
void KERNEL(recurrent_pack_backward)(const recurrent_shape *shape, const float *w, float *packed,
                                     long begin, long end);
void KERNEL(recurrent_backward)(const recurrent_shape *shape, const recurrent_back *run, long begin,
                                long end, float *work);

#endif
