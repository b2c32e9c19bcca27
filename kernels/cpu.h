/* SPDX-License-Identifier: MIT */
/* Between the dispatch and what it dispatches to; private to kernels/. */
#ifndef BK_CPU_H
#define BK_CPU_H

#include "kernels.h"

/* Mask of the levels that the CPU and the operating system support. */
unsigned bk_cpu_detect(void);

/* Each overwrites the entries it does better. */
void bk_ops_init_c(struct bk_ops *ops);
void bk_ops_init_avx2(struct bk_ops *ops);
void bk_ops_init_avxvnni(struct bk_ops *ops);
void bk_ops_init_avx512(struct bk_ops *ops);
void bk_ops_init_avx512vnni(struct bk_ops *ops);
void bk_ops_init_neon(struct bk_ops *ops);
void bk_ops_init_neondot(struct bk_ops *ops);

#endif
