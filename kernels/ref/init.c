/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "ref.h"

void bk_ops_init_c(struct bk_ops *ops)
{
	ops->gemm[BK_F32] = bk_gemm_f32_c;
	ops->gemm[BK_F16] = bk_gemm_f16_c;
	ops->gemm[BK_BF16] = bk_gemm_bf16_c;
	ops->quantize_i8 = bk_quantize_i8_c;
	ops->gemm_i8 = bk_gemm_i8_c;
	ops->gemm_q4 = bk_gemm_q4_c;
	ops->layernorm = bk_layernorm_c;
	ops->gelu = bk_gelu_c;
	ops->elu = bk_elu_c;
	ops->add = bk_add_c;
	ops->attention = bk_attention_c;
	ops->attention_f16 = bk_attention_f16_c;
	ops->lstm_cell = bk_lstm_cell_c;
	ops->argmax = bk_argmax_c;
	ops->f16_to_f32 = bk_f16_to_f32_c;
	ops->f32_to_f16 = bk_f32_to_f16_c;
	ops->bf16_to_f32 = bk_bf16_to_f32_c;
	ops->f32_to_bf16 = bk_f32_to_bf16_c;
}
