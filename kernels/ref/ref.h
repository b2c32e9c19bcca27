/* SPDX-License-Identifier: MIT */
/* The plain C functions; bk_ops in kernels.h says what each computes. */
#ifndef BK_REF_H
#define BK_REF_H

#include <stddef.h>
#include <stdint.h>

#include "../quant.h"

void bk_gemm_f32_c(float *y, size_t ldy, const float *x, size_t ldx,
		   const void *w, size_t ldw, const float *bias, size_t m,
		   size_t n, size_t k);
void bk_gemm_f16_c(float *y, size_t ldy, const float *x, size_t ldx,
		   const void *w, size_t ldw, const float *bias, size_t m,
		   size_t n, size_t k);
void bk_gemm_bf16_c(float *y, size_t ldy, const float *x, size_t ldx,
		    const void *w, size_t ldw, const float *bias, size_t m,
		    size_t n, size_t k);
void bk_quantize_i8_c(int8_t *q, float *scale, const float *x, size_t k);
void bk_gemm_i8_c(float *y, size_t ldy, const int8_t *q, size_t ldq,
		  const float *qs, size_t ldqs, const struct bk_i8 *w,
		  const float *bias, size_t m, size_t first, size_t n);
void bk_gemm_q4_c(float *y, size_t ldy, const int8_t *q, size_t ldq,
		  const float *qs, size_t ldqs, const struct bk_q4 *w,
		  const float *bias, size_t m, size_t first, size_t n);
void bk_layernorm_c(float *y, const float *x, const float *gain,
		    const float *bias, size_t rows, size_t n, float eps);
void bk_gelu_c(float *x, size_t n);
void bk_elu_c(float *y, const float *x, size_t n);
void bk_add_c(float *y, const float *x, size_t n);
void bk_attention_c(float *out, size_t ldo, const float *q, size_t ldq,
		    const float *k, const float *v, size_t ldkv, size_t m,
		    size_t n_past, size_t hd, int causal, float scale,
		    float *scratch);
void bk_attention_f16_c(float *out, size_t ldo, const float *q, size_t ldq,
			const uint16_t *k, const uint16_t *v, size_t ldkv,
			size_t m, size_t n_past, size_t hd, int causal,
			float scale, float *scratch);
void bk_lstm_cell_c(float *h, float *c, const float *gates, size_t n);
size_t bk_argmax_c(const float *x, size_t n);
void bk_f16_to_f32_c(float *dst, const uint16_t *src, size_t n);
void bk_f32_to_f16_c(uint16_t *dst, const float *src, size_t n);
void bk_bf16_to_f32_c(float *dst, const uint16_t *src, size_t n);
void bk_f32_to_bf16_c(uint16_t *dst, const float *src, size_t n);

#endif
