/* SPDX-License-Identifier: MIT */
/*
 * Every operator over the vector that the including file has defined
 * (x86/vec_avx2.h is the model), and the function that enters them in a table.
 */
#ifndef BK_SIMD_OPS_H
#define BK_SIMD_OPS_H

#include <math.h>

#include "attention.h"
#include "convert.h"
#include "gemm.h"
#include "gemm_i8.h"
#include "layernorm.h"
#include "elementary.h"
#include "pointwise.h"
#include "quantize.h"

static void fill_ops(struct bk_ops *ops)
{
	ops->gemm[BK_F32] = gemm_f32;
	ops->gemm[BK_F16] = gemm_f16;
	ops->gemm[BK_BF16] = gemm_bf16;
	ops->quantize_i8 = quantize_i8;
	ops->gemm_i8 = gemm_i8;
	ops->gemm_q4 = gemm_q4;
	ops->layernorm = layernorm;
	ops->gelu = gelu;
	ops->elu = elu;
	ops->add = add;
	ops->attention = attention;
	ops->attention_f16 = attention_f16;
	ops->lstm_cell = lstm_cell;
	ops->argmax = argmax;
	ops->f16_to_f32 = f16_to_f32;
	ops->f32_to_f16 = f32_to_f16;
	ops->bf16_to_f32 = bf16_to_f32;
	ops->f32_to_bf16 = f32_to_bf16;
}

#endif
