/* SPDX-License-Identifier: MIT */
#ifndef BK_SIMD_ALONE_H
#define BK_SIMD_ALONE_H

/* Not inlined nor cloned: tiles are large, products and attention share them. */
#ifdef __clang__
#define BK_ALONE __attribute__((noinline))
#else
#define BK_ALONE __attribute__((noinline, noclone))
#endif

#endif
