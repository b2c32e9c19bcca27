/* SPDX-License-Identifier: MIT */
/* The pickle machine: values, stack, memo, opcodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "error.h"
#include "pickle_vm.h"

#define MAX_VALUES (1u << 20)
#define MAX_STACK (1u << 20)
#define MAX_MEMO (1u << 20)
#define BLOCK 512 /* values allocated at a time */

struct block {
	struct block *next;
	size_t n;
	value values[BLOCK];
};

struct bark_pickle {
	struct block *blocks;
	size_t n_values;
};

int bark_vm_broken(struct bark_vm *vm, const char *what)
{
	return bark_fail(vm->err, -EINVAL, "%s: a bad pickle: %s", vm->label,
			 what);
}

static int too_big(struct bark_vm *vm, const char *what)
{
	return bark_fail(vm->err, -E2BIG, "%s: a pickle with too many %s",
			 vm->label, what);
}

static int no_memory(struct bark_vm *vm)
{
	return bark_fail(vm->err, -ENOMEM, "%s: out of memory", vm->label);
}

/* --- values --- */

value *bark_vm_value(struct bark_vm *vm, enum bark_pickle_kind kind)
{
	struct bark_pickle *p = vm->values;
	value *v;

	if (p->n_values == MAX_VALUES) {
		vm->failed = too_big(vm, "values");
		return NULL;
	}
	if (!p->blocks || p->blocks->n == BLOCK) {
		struct block *block = calloc(1, sizeof(*block));

		if (!block) {
			vm->failed = no_memory(vm);
			return NULL;
		}
		block->next = p->blocks;
		p->blocks = block;
	}
	p->n_values++;
	v = &p->blocks->values[p->blocks->n++];
	v->kind = kind;
	return v;
}

int bark_vm_append(struct bark_vm *vm, value *list, value *const *items,
		   size_t n)
{
	if (n > list->cap - list->n) {
		size_t cap = list->cap * 2;
		value **grown;

		if (cap < list->n + n)
			cap = list->n + n;
		grown = realloc(list->items, cap * sizeof(*grown));
		if (!grown)
			return no_memory(vm);
		list->items = grown;
		list->cap = cap;
	}
	if (n)
		memcpy(list->items + list->n, items, n * sizeof(*items));
	list->n += n;
	return 0;
}

void bark_pickle_free(struct bark_pickle *p)
{
	if (!p)
		return;
	for (struct block *block = p->blocks, *next; block; block = next) {
		next = block->next;
		for (size_t i = 0; i < block->n; i++)
			free(block->values[i].items);
		free(block);
	}
	free(p);
}

const value *bark_pickle_get(const value *dict, const char *key)
{
	const size_t len = strlen(key);

	if (dict->kind != BARK_PICKLE_DICT)
		return NULL;
	for (size_t i = dict->n; i >= 2; i -= 2) {
		const value *k = dict->items[i - 2];

		if (k->kind == BARK_PICKLE_STRING && k->len == len &&
		    !memcmp(k->text, key, len))
			return dict->items[i - 1];
	}
	return NULL;
}

/* --- stack --- */

int bark_vm_push(struct bark_vm *vm, value *v)
{
	if (vm->n == vm->cap) {
		size_t cap = vm->cap * 2;
		value **grown;

		if (vm->cap >= MAX_STACK)
			return too_big(vm, "values at once");
		grown = realloc(vm->stack, cap * sizeof(*grown));
		if (!grown)
			return no_memory(vm);
		vm->stack = grown;
		vm->cap = cap;
	}
	vm->stack[vm->n++] = v;
	return 0;
}

int bark_vm_push_new(struct bark_vm *vm, enum bark_pickle_kind kind,
		     int64_t number)
{
	value *v = bark_vm_value(vm, kind);

	if (!v)
		return vm->failed;
	v->number = number;
	return bark_vm_push(vm, v);
}

/* Values that belong to no open mark and may be taken. */
static size_t available(const struct bark_vm *vm)
{
	return vm->n - (vm->n_marks ? vm->marks[vm->n_marks - 1] : 0);
}

value *bark_vm_pop(struct bark_vm *vm)
{
	return available(vm) ? vm->stack[--vm->n] : NULL;
}

static value *top(const struct bark_vm *vm)
{
	return available(vm) ? vm->stack[vm->n - 1] : NULL;
}

/* Closes the last mark; what lies above it is items[0..n-1]. */
static bool take_mark(struct bark_vm *vm, value ***items, size_t *n)
{
	size_t height;

	if (vm->n_marks == 0)
		return false;
	height = vm->marks[--vm->n_marks];
	*items = vm->stack + height;
	*n = vm->n - height;
	vm->n = height;
	return true;
}

static int push_tuple(struct bark_vm *vm, value *const *items, size_t n,
		      enum bark_pickle_kind kind)
{
	value *v = bark_vm_value(vm, kind);
	int r;

	if (!v)
		return vm->failed;
	r = bark_vm_append(vm, v, items, n);
	return r < 0 ? r : bark_vm_push(vm, v);
}

/* Puts the n values on top into a tuple. */
static int tuple_of(struct bark_vm *vm, size_t n)
{
	if (available(vm) < n)
		return bark_vm_broken(vm, "an empty stack");
	vm->n -= n;
	return push_tuple(vm, vm->stack + vm->n, n, BARK_PICKLE_TUPLE);
}

/* --- arguments --- */

static const unsigned char *take(struct bark_vm *vm, uint64_t n)
{
	const unsigned char *p = vm->at;

	if (n > (size_t)(vm->end - vm->at))
		return NULL;
	vm->at += n;
	return p;
}

/* A little-endian length or index of `width` bytes. */
static bool take_number(struct bark_vm *vm, unsigned width, uint64_t *ret)
{
	const unsigned char *p = take(vm, width);

	*ret = 0;
	for (unsigned i = width; p && i-- > 0;)
		*ret = *ret << 8 | p[i];
	return p != NULL;
}

static int truncated(struct bark_vm *vm)
{
	return bark_vm_broken(vm, "it is truncated");
}

static int push_text(struct bark_vm *vm, unsigned width, bool is_text)
{
	const unsigned char *p;
	uint64_t len;
	value *v;

	if (!take_number(vm, width, &len) || !(p = take(vm, len)))
		return truncated(vm);
	v = bark_vm_value(vm, is_text ? BARK_PICKLE_STRING
				      : BARK_PICKLE_OPAQUE);
	if (!v)
		return vm->failed;
	v->text = (const char *)p;
	v->len = (size_t)len;
	return bark_vm_push(vm, v);
}

/* LONG1: two's complement of any length; over eight bytes is no size. */
static int push_long(struct bark_vm *vm)
{
	const unsigned char *p;
	uint64_t len, bits = 0;

	if (!take_number(vm, 1, &len) || !(p = take(vm, len)))
		return truncated(vm);
	if (len > 8)
		return bark_vm_push_new(vm, BARK_PICKLE_OPAQUE, 0);
	if (len && p[len - 1] & 0x80)
		bits = UINT64_MAX;
	for (size_t i = (size_t)len; i-- > 0;)
		bits = bits << 8 | p[i];
	return bark_vm_push_new(vm, BARK_PICKLE_INT, (int64_t)bits);
}

static int push_fixed(struct bark_vm *vm, unsigned width, bool is_signed)
{
	uint64_t bits;

	if (!take_number(vm, width, &bits))
		return truncated(vm);
	return bark_vm_push_new(vm, BARK_PICKLE_INT,
			is_signed ? (int64_t)(int32_t)(uint32_t)bits
				  : (int64_t)bits);
}

static int memo_put(struct bark_vm *vm, uint64_t index)
{
	value *v = top(vm);

	if (!v)
		return bark_vm_broken(vm, "an empty stack");
	if (index >= MAX_MEMO)
		return too_big(vm, "shared values");
	if (index >= vm->memo_cap) {
		size_t cap = vm->memo_cap ? vm->memo_cap : 256;
		value **grown;

		while (cap <= index)
			cap *= 2;
		grown = realloc(vm->memo, cap * sizeof(*grown));
		if (!grown)
			return no_memory(vm);
		memset(grown + vm->memo_cap, 0,
		       (cap - vm->memo_cap) * sizeof(*grown));
		vm->memo = grown;
		vm->memo_cap = cap;
	}
	if (!vm->memo[index])
		vm->n_memo++;
	vm->memo[index] = v;
	return 0;
}

static int memo_get(struct bark_vm *vm, unsigned width)
{
	uint64_t index;

	if (!take_number(vm, width, &index))
		return truncated(vm);
	if (index >= vm->memo_cap || !vm->memo[index])
		return bark_vm_broken(vm, "an unknown shared value");
	return bark_vm_push(vm, vm->memo[index]);
}

/* --- globals --- */

/* GLOBAL: two lines. */
static int read_global(struct bark_vm *vm)
{
	const char *lines[2];
	size_t lens[2];

	for (size_t i = 0; i < 2; i++) {
		const unsigned char *end = memchr(vm->at, '\n',
						  (size_t)(vm->end - vm->at));

		if (!end)
			return truncated(vm);
		lines[i] = (const char *)vm->at;
		lens[i] = (size_t)(end - vm->at);
		vm->at = end + 1;
	}
	return bark_vm_global(vm, lines[0], lens[0], lines[1], lens[1]);
}

static int stack_global(struct bark_vm *vm)
{
	const value *name = bark_vm_pop(vm), *module = bark_vm_pop(vm);

	if (!name || !module || name->kind != BARK_PICKLE_STRING ||
	    module->kind != BARK_PICKLE_STRING)
		return bark_vm_broken(vm, "a global without a name");
	return bark_vm_global(vm, module->text, module->len, name->text,
			   name->len);
}

/* --- containers --- */

static int add_marked(struct bark_vm *vm, enum bark_pickle_kind kind)
{
	value **items, *container;
	size_t n;

	if (!take_mark(vm, &items, &n))
		return bark_vm_broken(vm, "a missing mark");
	container = top(vm);
	if (!container || (kind == BARK_PICKLE_DICT && n % 2))
		return bark_vm_broken(vm, "items for no container");
	/* Attributes of an opaque object may be filled like a container. */
	if (container->kind == BARK_PICKLE_OPAQUE)
		return 0;
	if (container->kind != kind)
		return bark_vm_broken(vm, "items for another container");
	return bark_vm_append(vm, container, items, n);
}

static int add_top(struct bark_vm *vm, enum bark_pickle_kind kind)
{
	const size_t n = kind == BARK_PICKLE_DICT ? 2 : 1;
	value *container;

	if (available(vm) < n + 1)
		return bark_vm_broken(vm, "an empty stack");
	vm->n -= n;
	container = top(vm);
	if (container->kind != kind)
		return bark_vm_broken(vm, "an item for another container");
	return bark_vm_append(vm, container, vm->stack + vm->n, n);
}

static int make_marked(struct bark_vm *vm, enum bark_pickle_kind kind)
{
	value **items;
	size_t n;

	if (!take_mark(vm, &items, &n))
		return bark_vm_broken(vm, "a missing mark");
	if (kind == BARK_PICKLE_DICT && n % 2)
		return bark_vm_broken(vm, "a key without a value");
	return push_tuple(vm, items, n, kind);
}

/* BUILD sets attributes, such as a state dictionary's _metadata. */
static int drop_state(struct bark_vm *vm)
{
	const value *object;

	if (!bark_vm_pop(vm) || !(object = top(vm)))
		return bark_vm_broken(vm, "an empty stack");
	if (object->kind != BARK_PICKLE_DICT &&
	    object->kind != BARK_PICKLE_OPAQUE &&
	    object->kind != BARK_PICKLE_TENSOR)
		return bark_vm_broken(vm, "attributes for a plain value");
	return 0;
}

/* --- opcodes --- */

static int put_mark(struct bark_vm *vm)
{
	if (vm->n_marks == BARK_VM_MARKS)
		return too_big(vm, "open marks");
	vm->marks[vm->n_marks++] = vm->n;
	return 0;
}

static int run_put(struct bark_vm *vm, unsigned width)
{
	uint64_t index;

	return take_number(vm, width, &index) ? memo_put(vm, index)
					      : truncated(vm);
}

/* Opcodes with no more to them than bytes to skip. */
static int skip(struct bark_vm *vm, unsigned width)
{
	return take(vm, width) ? 0 : truncated(vm);
}

static int step(struct bark_vm *vm, unsigned char op)
{
	value **items;
	uint64_t n;
	size_t count;

	switch (op) {
	case 0x80: /* PROTO */
		if (!take_number(vm, 1, &n))
			return truncated(vm);
		return n >= 2 && n <= 5
			       ? 0 : bark_vm_broken(vm, "another protocol");
	case 0x95: /* FRAME */
		return skip(vm, 8);
	case '.': /* STOP */
		vm->stopped = true;
		return 0;
	case '(': /* MARK */
		return put_mark(vm);
	case '0': /* POP */
		return bark_vm_pop(vm)
			       ? 0 : bark_vm_broken(vm, "an empty stack");
	case '1': /* POP_MARK */
		return take_mark(vm, &items, &count)
			       ? 0 : bark_vm_broken(vm, "a missing mark");
	case 'N':
		return bark_vm_push_new(vm, BARK_PICKLE_NONE, 0);
	case 0x88: /* NEWTRUE, NEWFALSE */
	case 0x89:
		return bark_vm_push_new(vm, BARK_PICKLE_BOOL, op == 0x88);
	case 'J': /* BININT, BININT1, BININT2 */
		return push_fixed(vm, 4, true);
	case 'K':
		return push_fixed(vm, 1, false);
	case 'M':
		return push_fixed(vm, 2, false);
	case 0x8a:
		return push_long(vm);
	case 'G': /* BINFLOAT */
		if (!take(vm, 8))
			return truncated(vm);
		return bark_vm_push_new(vm, BARK_PICKLE_OPAQUE, 0);
	case 'X': /* BINUNICODE, SHORT_BINUNICODE, BINSTRING, SHORT_ */
	case 'T':
		return push_text(vm, 4, true);
	case 0x8c:
	case 'U':
		return push_text(vm, 1, true);
	case 'B': /* BINBYTES, SHORT_BINBYTES */
		return push_text(vm, 4, false);
	case 'C':
		return push_text(vm, 1, false);
	case ']':
		return bark_vm_push_new(vm, BARK_PICKLE_LIST, 0);
	case '}':
		return bark_vm_push_new(vm, BARK_PICKLE_DICT, 0);
	case ')':
		return bark_vm_push_new(vm, BARK_PICKLE_TUPLE, 0);
	case 'a': /* APPEND, APPENDS, LIST */
		return add_top(vm, BARK_PICKLE_LIST);
	case 'e':
		return add_marked(vm, BARK_PICKLE_LIST);
	case 'l':
		return make_marked(vm, BARK_PICKLE_LIST);
	case 's': /* SETITEM, SETITEMS, DICT */
		return add_top(vm, BARK_PICKLE_DICT);
	case 'u':
		return add_marked(vm, BARK_PICKLE_DICT);
	case 'd':
		return make_marked(vm, BARK_PICKLE_DICT);
	case 't': /* TUPLE, TUPLE1, TUPLE2, TUPLE3 */
		return make_marked(vm, BARK_PICKLE_TUPLE);
	case 0x85:
	case 0x86:
	case 0x87:
		return tuple_of(vm, op - 0x84u);
	case 'q': /* BINPUT, LONG_BINPUT, MEMOIZE */
		return run_put(vm, 1);
	case 'r':
		return run_put(vm, 4);
	case 0x94:
		return memo_put(vm, vm->n_memo);
	case 'h': /* BINGET, LONG_BINGET */
		return memo_get(vm, 1);
	case 'j':
		return memo_get(vm, 4);
	case 'c': /* GLOBAL, STACK_GLOBAL */
		return read_global(vm);
	case 0x93:
		return stack_global(vm);
	case 'R': /* REDUCE, NEWOBJ */
	case 0x81:
		return bark_vm_call(vm);
	case 'b':
		return drop_state(vm);
	case 'Q': /* BINPERSID */
		return bark_vm_storage(vm);
	default:
		return bark_fail(vm->err, -ENOTSUP, "%s: pickle opcode 0x%02x "
				 "is not allowed", vm->label, op);
	}
}

static int run(struct bark_vm *vm, const value **root)
{
	int r = 0;

	while (r == 0 && !vm->stopped) {
		if (vm->at == vm->end)
			return truncated(vm);
		r = step(vm, *vm->at++);
	}
	if (r < 0)
		return r;
	if (vm->n != 1 || vm->n_marks)
		return bark_vm_broken(vm, "it holds other than one value");
	*root = vm->stack[0];
	return 0;
}

int bark_pickle_read(struct bark_pickle **ret, const value **root,
		     const unsigned char *data, size_t size, const char *label,
		     struct bark_error *err)
{
	struct bark_vm *vm;
	int r;

	if (size > BARK_MAX_PICKLE)
		return bark_fail(err, -E2BIG, "%s: a pickle over %zu MiB",
				 label, BARK_MAX_PICKLE >> 20);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	vm->at = data;
	vm->end = data + size;
	vm->label = label;
	vm->err = err;
	vm->values = calloc(1, sizeof(*vm->values));
	vm->cap = 256;
	vm->stack = calloc(vm->cap, sizeof(*vm->stack));
	r = vm->values && vm->stack ? run(vm, root) : no_memory(vm);
	if (r == 0)
		*ret = vm->values;
	else
		bark_pickle_free(vm->values);
	free(vm->stack);
	free(vm->memo);
	free(vm);
	return r;
}
