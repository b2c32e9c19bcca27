/* SPDX-License-Identifier: MIT */
/* The pickle machine, as pickle.c and pickle_objects.c share it. */
#ifndef BARK_PICKLE_VM_H
#define BARK_PICKLE_VM_H

#include "pickle.h"

#define BARK_VM_MARKS 4096

typedef struct bark_pickle_value value;

struct bark_vm {
	struct bark_pickle *values;
	const unsigned char *at, *end;
	value **stack;
	size_t n, cap;
	size_t marks[BARK_VM_MARKS], n_marks; /* heights of the stack */
	value **memo;
	size_t n_memo, memo_cap;
	bool stopped;
	int failed; /* why bark_vm_value gave NULL */
	const char *label;
	struct bark_error *err;
};

/* All return 0 or a negative errno with the message written. */
int bark_vm_broken(struct bark_vm *vm, const char *what);
value *bark_vm_value(struct bark_vm *vm, enum bark_pickle_kind kind);
int bark_vm_append(struct bark_vm *vm, value *list, value *const *items,
		   size_t n);
int bark_vm_push(struct bark_vm *vm, value *v);
int bark_vm_push_new(struct bark_vm *vm, enum bark_pickle_kind kind,
		     int64_t number);
/* NULL where nothing lies above the last mark. */
value *bark_vm_pop(struct bark_vm *vm);

/* pickle_objects.c: pushes a global of the list. */
int bark_vm_global(struct bark_vm *vm, const char *module, size_t module_len,
		   const char *name, size_t name_len);
/* REDUCE and NEWOBJ: what a global makes of a tuple. */
int bark_vm_call(struct bark_vm *vm);
/* BINPERSID: ('storage', type, key, location, elements). */
int bark_vm_storage(struct bark_vm *vm);

#endif
