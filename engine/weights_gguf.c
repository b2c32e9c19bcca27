/* SPDX-License-Identifier: MIT */
/*
 * Weights as they lie in memory, in a GGUF file: read in place, or written.
 * Both walk the model and meet the same arrays under the same names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "error.h"
#include "files/tensors_build.h"
#include "weights.h"

#define MAX_NAME 192

/* Of struct bk_i8, and of struct bk_q4 beside it; another arrangement, or
 * other Linears in one of them, needs another name or version. */
#define LAYOUT "int8-panels-16x4-groups-128"
#define LAYOUT_Q4 "q4-panels-16x8-parts-32-groups-128"
#define LAYOUT_VERSION 2

struct gguf_source {
	struct bark_weight_source base;
	/* Reads: sets *ret. Writes: takes note of *ret. */
	int (*array)(struct gguf_source *src, const void **ret,
		     const char *name, enum bark_tensor_type type,
		     const size_t *dims, unsigned n_dims);
	const struct bark_tensors *set;
	size_t n_bytes;
	struct bark_gguf_writer *header;
	FILE *to; /* NULL while naming */
};

/* --- what both do --- */

static int pass_floats(struct bark_weight_source *s, const float **ret,
		       const char *name, const size_t *dims, unsigned n_dims)
{
	struct gguf_source *src = (struct gguf_source *)s;
	const void *p = *ret;
	int r = src->array(src, &p, name, BARK_TENSOR_F32, dims, n_dims);

	if (r == 0)
		*ret = p;
	return r;
}

static int pass_vector(struct bark_weight_source *s, const float **ret,
		       enum bark_weight kind, const char *name, size_t rows,
		       size_t columns)
{
	const size_t dims[] = {rows, columns};

	return pass_floats(s, ret, name, dims, columns ? 2 : 1);
}

/* The LSTM's two biases are one: bias_ih_l0 + bias_hh_l0 is bias_l0. */
static int pass_sum(struct bark_weight_source *s, const float **ret,
		    const char *a, const char *b, size_t n)
{
	const char *cut = strstr(a, "_ih");
	char name[MAX_NAME];

	snprintf(name, sizeof(name), "%.*s%s", (int)(cut - a), a, cut + 3);
	return pass_floats(s, ret, name, &n, 1);
}

static int pass_matrix(struct bark_weight_source *s, const void **ret,
		       const char *name, size_t n, size_t k)
{
	struct gguf_source *src = (struct gguf_source *)s;
	const size_t dims[] = {n, k};

	return src->array(src, ret, name, BARK_TENSOR_F16, dims, 2);
}

/* One of the arrays that are a quantised Linear. */
struct part {
	const char *suffix;
	enum bark_tensor_type type;
	const size_t *dims;
	unsigned n_dims;
	const void *p;
};

static int pass_parts(struct bark_weight_source *s, struct part *parts,
		      size_t n, const char *name)
{
	struct gguf_source *src = (struct gguf_source *)s;
	char full[MAX_NAME];
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		snprintf(full, sizeof(full), "%s.%s", name, parts[i].suffix);
		r = src->array(src, &parts[i].p, full, parts[i].type,
			       parts[i].dims, parts[i].n_dims);
	}
	return r;
}

static int pass_quantized(struct bark_weight_source *s, struct bk_i8 *ret,
			  const char *name, size_t n, size_t k)
{
	const size_t panels = bk_i8_panels(n);
	const size_t w[] = {panels, bk_i8_quads(k), BK_I8_ROWS, 4};
	const size_t group[] = {panels, bk_i8_groups(k), BK_I8_ROWS};
	struct part parts[] = {
		{"i8", BARK_TENSOR_I8, w, 4, ret->w},
		{"scale", BARK_TENSOR_F32, group, 3, ret->scale},
		{"sum", BARK_TENSOR_I32, group, 3, ret->sum},
	};
	int r = pass_parts(s, parts, 3, name);

	if (r == 0)
		*ret = (struct bk_i8){parts[0].p, parts[1].p, parts[2].p, n, k};
	return r;
}

static int pass_quantized_q4(struct bark_weight_source *s, struct bk_q4 *ret,
			     const char *name, size_t n, size_t k)
{
	const size_t panels = bk_i8_panels(n), groups = bk_i8_groups(k);
	const size_t w[] = {panels, bk_q4_pairs(k), BK_I8_ROWS, 4};
	const size_t mul[] = {panels, groups, BK_Q4_PARTS, BK_I8_ROWS};
	const size_t group[] = {panels, groups, BK_I8_ROWS};
	struct part parts[] = {
		{"q4", BARK_TENSOR_I8, w, 4, ret->w},
		{"mul", BARK_TENSOR_I8, mul, 4, ret->mul},
		{"scale", BARK_TENSOR_F32, group, 3, ret->scale},
		{"sum", BARK_TENSOR_I32, group, 3, ret->sum},
	};
	int r = pass_parts(s, parts, 4, name);

	if (r == 0)
		*ret = (struct bk_q4){parts[0].p, parts[1].p, parts[2].p,
				      parts[3].p, n, k};
	return r;
}

static int pass_conv(struct bark_weight_source *s, const float **ret,
		     const char *name, size_t c_out, size_t c_in, size_t kernel,
		     bool transposed)
{
	const size_t dims[] = {
		transposed ? kernel : c_out, transposed ? c_out : kernel, c_in,
	};
	char full[MAX_NAME];

	snprintf(full, sizeof(full), "%s.weight", name);
	return pass_floats(s, ret, full, dims, 3);
}

static void begin(struct bark_weight_source *s, enum bark_part part)
{
	/* The walk comes by twice. */
	if (part == BARK_PART_SEMANTIC)
		((struct gguf_source *)s)->n_bytes = 0;
}

static const struct bark_weight_source passing = {
	.type = BK_F16,
	.int8 = true,
	.begin = begin,
	.floats = pass_vector,
	.sum = pass_sum,
	.matrix = pass_matrix,
	.quantized = pass_quantized,
	.quantized_q4 = pass_quantized_q4,
	.conv = pass_conv,
};

/* --- reading --- */

static int find_array(struct gguf_source *src, const void **ret,
		      const char *name, enum bark_tensor_type type,
		      const size_t *dims, unsigned n_dims)
{
	const char *label = bark_tensors_label(src->set);
	const struct bark_tensor *t = bark_tensors_find(src->set, name);

	if (!t)
		return bark_fail(src->base.err, -EINVAL, "%s: no tensor %s",
				 label, name);
	if (t->type != type)
		return bark_fail(src->base.err, -EINVAL,
				 "%s: %s is of type %s, not %s", label, name,
				 bark_tensor_type_name(t->type),
				 bark_tensor_type_name(type));
	if (t->n_dims != n_dims || memcmp(t->dims, dims, n_dims * sizeof(*dims)))
		return bark_fail(src->base.err, -EINVAL, "%s: the shape of %s "
				 "is not what the configuration asks for",
				 label, name);
	if ((uintptr_t)t->data % 4)
		return bark_fail(src->base.err, -EINVAL, "%s: %s is not "
				 "aligned", label, name);
	src->n_bytes += t->n_bytes;
	*ret = t->data;
	return 0;
}

static bool is_there(struct bark_weight_source *s, const char *name)
{
	return bark_tensors_find(((struct gguf_source *)s)->set, name) != NULL;
}

static int check_layout(const struct bark_tensors *set, struct bark_error *err)
{
	const char *label = bark_tensors_label(set);
	const char *name = bark_tensors_text(set, "general.architecture");
	const char *layout = bark_tensors_text(set, "bark.layout");
	int64_t version;

	if (!name || strcmp(name, "bark"))
		return bark_fail(err, -EINVAL, "%s: general.architecture is "
				 "%s, not bark", label, name ? name : "absent");
	if (bark_gguf_precision(set) == BARK_PRECISION_DEFAULT ||
	    bark_tensors_arg(set, "bark.layout.version", &version) < 0 ||
	    version != LAYOUT_VERSION)
		return bark_fail(err, -ENOTSUP, "%s: bark.layout is %s, not "
				 "%s or %s of version %d; quantize the model "
				 "again", label, layout ? layout : "absent",
				 LAYOUT, LAYOUT_Q4, LAYOUT_VERSION);
	return 0;
}

enum bark_precision bark_gguf_precision(const struct bark_tensors *set)
{
	const char *layout = bark_tensors_text(set, "bark.layout");

	if (layout && !strcmp(layout, LAYOUT))
		return BARK_PRECISION_INT8;
	return layout && !strcmp(layout, LAYOUT_Q4) ? BARK_PRECISION_Q4 :
						      BARK_PRECISION_DEFAULT;
}

int bark_weights_gguf(struct bark_model *model, const struct bark_tensors *set,
		      struct bark_error *err)
{
	struct gguf_source src = {
		.base = passing, .array = find_array, .set = set,
	};
	int r;

	src.base.q4 = bark_gguf_precision(set) == BARK_PRECISION_Q4;
	src.base.has = is_there;
	src.base.err = err;
	r = check_layout(set, err);
	if (r == 0)
		r = bark_weights_load(model, &src.base,
				      &bark_names_transformers);
	if (r == 0)
		model->n_bytes = src.n_bytes;
	return r;
}

/* --- writing --- */

static bool is_not_there(struct bark_weight_source *s, const char *name)
{
	return false;
}

static int write_array(struct gguf_source *src, const void **ret,
		       const char *name, enum bark_tensor_type type,
		       const size_t *dims, unsigned n_dims)
{
	struct bark_tensor t = {.type = type, .n_dims = n_dims};
	size_t bytes;

	if (!src->to) {
		bark_gguf_put_tensor(src->header, name, type, dims, n_dims);
		return 0;
	}
	memcpy(t.dims, dims, n_dims * sizeof(*dims));
	bark_tensor_bytes(&t, &bytes);
	return bark_gguf_write_tensor(src->to, *ret, bytes);
}

static int write_model(struct bark_model *model, FILE *to)
{
	struct bark_gguf_writer header;
	struct gguf_source src = {
		.base = passing, .array = write_array, .header = &header,
	};
	int r = bark_gguf_begin(&header);

	if (r < 0)
		return r;
	src.base.q4 = model->q4;
	src.base.has = is_not_there;
	bark_gguf_put_text(&header, "general.architecture", "bark");
	bark_gguf_put_text(&header, "bark.layout",
			   model->q4 ? LAYOUT_Q4 : LAYOUT);
	bark_gguf_put_u32(&header, "bark.layout.version", LAYOUT_VERSION);
	bark_config_put_gguf(&model->config, &header);
	r = bark_weights_walk(model, &src.base, &bark_names_transformers);
	if (r == 0)
		r = bark_gguf_write_header(&header, to);
	src.to = to;
	if (r == 0)
		r = bark_weights_walk(model, &src.base,
				      &bark_names_transformers);
	bark_gguf_clear(&header);
	if (r == 0 && (fflush(to) || fsync(fileno(to)) < 0))
		r = -errno;
	return r;
}

int bark_model_save(struct bark_model *model, const char *path,
		    struct bark_error *err)
{
	const char *name = bark_base_name(path);
	FILE *to;
	int r;

	if (!model->int8)
		return bark_fail(err, -EINVAL, "%s: the weights are not "
				 "quantized", name);
	to = fopen(path, "wbxe");
	if (!to)
		return bark_fail(err, -errno, "%s: %s", name, strerror(errno));
	r = write_model(model, to);
	if (fclose(to) && r == 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlink(path);
	return bark_fail(err, r, "%s: %s", name, strerror(-r));
}
