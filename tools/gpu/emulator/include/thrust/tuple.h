// What CuPy's headers use of thrust, from the standard library.
#pragma once
#include <tuple>
#include <utility>
namespace thrust {
using std::get, std::make_pair, std::make_tuple, std::pair, std::swap, std::tie, std::tuple;
}
