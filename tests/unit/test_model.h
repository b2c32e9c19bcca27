/* SPDX-License-Identifier: MIT */
/* The parts of test_model, which is one program. */
#ifndef TESTS_TEST_MODEL_H
#define TESTS_TEST_MODEL_H

/* A model's vocabulary. root: of the source tree. Returns whether one failed. */
int test_model_vocab(const char *root);

#endif
