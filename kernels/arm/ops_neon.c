/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "vec_neon.h"

#include "i8_mull.h"
#include "../simd/q4_unpack.h"
#include "../simd/ops.h"

void bk_ops_init_neon(struct bk_ops *ops)
{
	fill_ops(ops);
}
