/* SPDX-License-Identifier: MIT */
/* The globals that a pickle may name, and what becomes of them. */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "pickle_vm.h"

#define MAX_GLOBAL 128 /* of a name in a message */

/* What calling a global comes to. */
enum action {
	ORDERED_DICT, /* an empty dictionary */
	TENSOR,       /* (storage, offset, sizes, strides, ...) */
	PARAMETER,    /* (tensor, ...): the tensor */
	STORAGE,      /* named by persistent ids, never called */
	SIZE,         /* (tuple): the tuple */
	OPAQUE,
};

static const struct global {
	const char *module, *name;
	enum action action;
	enum bark_tensor_type type; /* of a storage */
} globals[] = {
	{"collections", "OrderedDict", ORDERED_DICT, 0},
	{"torch._utils", "_rebuild_tensor_v2", TENSOR, 0},
	{"torch._utils", "_rebuild_parameter", PARAMETER, 0},
	{"torch", "Size", SIZE, 0},
	{"torch", "FloatStorage", STORAGE, BARK_TENSOR_F32},
	{"torch", "HalfStorage", STORAGE, BARK_TENSOR_F16},
	{"torch", "BFloat16Storage", STORAGE, BARK_TENSOR_BF16},
	{"torch", "DoubleStorage", STORAGE, BARK_TENSOR_F64},
	{"torch", "LongStorage", STORAGE, BARK_TENSOR_I64},
	{"torch", "IntStorage", STORAGE, BARK_TENSOR_I32},
	{"torch", "ShortStorage", STORAGE, BARK_TENSOR_I16},
	{"torch", "ByteStorage", STORAGE, BARK_TENSOR_U8},
	{"torch", "BoolStorage", STORAGE, BARK_TENSOR_BOOL},
	{"torch", "device", OPAQUE, 0},
	{"torch", "float32", OPAQUE, 0},
	{"torch", "float16", OPAQUE, 0},
	{"torch", "bfloat16", OPAQUE, 0},
	{"torch", "float64", OPAQUE, 0},
	{"torch", "int64", OPAQUE, 0},
	{"torch", "int32", OPAQUE, 0},
	{"torch", "int16", OPAQUE, 0},
	{"torch", "uint8", OPAQUE, 0},
	{"torch", "bool", OPAQUE, 0},
	/* suno's checkpoints keep their best loss as numpy's scalar. */
	{"numpy", "dtype", OPAQUE, 0},
	{"numpy.core.multiarray", "scalar", OPAQUE, 0},
	{"numpy._core.multiarray", "scalar", OPAQUE, 0},
	{"_codecs", "encode", OPAQUE, 0},
};
#define N_GLOBALS (sizeof(globals) / sizeof(globals[0]))

int bark_vm_global(struct bark_vm *vm, const char *module, size_t module_len,
		       const char *name, size_t name_len)
{
	for (size_t i = 0; i < N_GLOBALS; i++)
		if (strlen(globals[i].module) == module_len &&
		    strlen(globals[i].name) == name_len &&
		    !memcmp(globals[i].module, module, module_len) &&
		    !memcmp(globals[i].name, name, name_len))
			return bark_vm_push_new(vm, BARK_PICKLE_GLOBAL,
						(int64_t)i);
	return bark_fail(vm->err, -ENOTSUP, "%s: the pickle asks for "
			 "%.*s.%.*s, which is not allowed", vm->label,
			 (int)(module_len < MAX_GLOBAL ? module_len
						       : MAX_GLOBAL), module,
			 (int)(name_len < MAX_GLOBAL ? name_len : MAX_GLOBAL),
			 name);
}

static bool is_size_tuple(const value *v)
{
	if (v->kind != BARK_PICKLE_TUPLE)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->kind != BARK_PICKLE_INT)
			return false;
	return true;
}

static int make_tensor(struct bark_vm *vm, const value *args)
{
	value *v;
	int r;

	if (args->n < 4 || args->items[0]->kind != BARK_PICKLE_STORAGE ||
	    args->items[1]->kind != BARK_PICKLE_INT ||
	    !is_size_tuple(args->items[2]) || !is_size_tuple(args->items[3]) ||
	    args->items[2]->n != args->items[3]->n)
		return bark_vm_broken(vm, "a tensor without storage, sizes or "
				      "strides");
	v = bark_vm_value(vm, BARK_PICKLE_TENSOR);
	if (!v)
		return vm->failed;
	r = bark_vm_append(vm, v, args->items, 4);
	return r < 0 ? r : bark_vm_push(vm, v);
}

int bark_vm_call(struct bark_vm *vm)
{
	value *args = bark_vm_pop(vm), *callee = bark_vm_pop(vm);

	if (!args || !callee || args->kind != BARK_PICKLE_TUPLE ||
	    callee->kind != BARK_PICKLE_GLOBAL)
		return bark_vm_broken(vm, "a call of what cannot be called");
	switch (globals[callee->number].action) {
	case ORDERED_DICT:
		if (args->n)
			return bark_vm_broken(vm, "an OrderedDict with "
					      "arguments");
		return bark_vm_push_new(vm, BARK_PICKLE_DICT, 0);
	case TENSOR:
		return make_tensor(vm, args);
	case PARAMETER:
		if (args->n < 1 || args->items[0]->kind != BARK_PICKLE_TENSOR)
			return bark_vm_broken(vm, "a parameter that is no "
					      "tensor");
		return bark_vm_push(vm, args->items[0]);
	case SIZE:
		if (args->n != 1 || !is_size_tuple(args->items[0]))
			return bark_vm_broken(vm, "a torch.Size of no numbers");
		return bark_vm_push(vm, args->items[0]);
	case OPAQUE:
		return bark_vm_push_new(vm, BARK_PICKLE_OPAQUE, 0);
	case STORAGE:
		break;
	}
	return bark_vm_broken(vm, "a call of a storage's type");
}

int bark_vm_storage(struct bark_vm *vm)
{
	const value *id = bark_vm_pop(vm);
	const struct global *type;
	value *v;

	if (!id || id->kind != BARK_PICKLE_TUPLE || id->n != 5 ||
	    id->items[1]->kind != BARK_PICKLE_GLOBAL ||
	    id->items[2]->kind != BARK_PICKLE_STRING ||
	    id->items[4]->kind != BARK_PICKLE_INT)
		return bark_vm_broken(vm, "a persistent id that is no storage");
	type = &globals[id->items[1]->number];
	if (type->action != STORAGE || id->items[4]->number < 0)
		return bark_vm_broken(vm, "a persistent id that is no storage");
	v = bark_vm_value(vm, BARK_PICKLE_STORAGE);
	if (!v)
		return vm->failed;
	v->type = type->type;
	v->text = id->items[2]->text;
	v->len = id->items[2]->len;
	v->number = id->items[4]->number;
	return bark_vm_push(vm, v);
}
