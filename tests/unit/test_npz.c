/* SPDX-License-Identifier: MIT */
/* numpy's files and the zip archives that hold them. */
#include "files/npy.h"
#include "files/zip.h"
#include "hostile.h"
#include "tap.h"

static const char *root;

static struct bytes npy(const char *header, const void *data, size_t n)
{
	struct bytes b = {0};

	put(&b, "\x93NUMPY\1\0", 8);
	put_number(&b, strlen(header), 2);
	put_string(&b, header);
	put(&b, data, n);
	return b;
}

static int try_npy(const unsigned char *data, size_t n, void *arg)
{
	struct bark_ints a = {0};
	int r = bark_npy_parse(&a, data, n, "file", NULL);

	bark_ints_clear(&a);
	return r;
}

static int try_npz(const unsigned char *data, size_t n, void *arg)
{
	struct bark_ints a = {0};
	int r = bark_npz_parse(&a, data, n, "file", arg, NULL);

	bark_ints_clear(&a);
	return r;
}

#define HEADER(type, order, shape) \
	"{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape \
	", }   \n"

static void test_npy(void)
{
	static const char name[] = "arrays";
	static const struct {
		const char *header;
		const char *data;
		size_t n;
		unsigned n_dims;
		size_t dims[2];
		int32_t values[4];
	} arrays[] = {
		{HEADER("<i8", "False", "(2,)"),
		 "\1\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16,
		 1, {2, 0}, {1, -1}},
		{HEADER("<u2", "True", "(2, 2)"), "\1\0\2\0\3\0\xff\xff", 8,
		 2, {2, 2}, {1, 3, 2, 65535}},
		{HEADER("<i2", "False", "(1, 2)"), "\1\0\xfe\xff", 4,
		 2, {1, 2}, {1, -2}},
		{HEADER("<i4", "True", "(1,)"), "\0\0\0\x80", 4,
		 1, {1, 0}, {INT32_MIN}},
		{HEADER("|u1", "False", "(3, 1)"), "\1\2\xff", 3,
		 2, {3, 1}, {1, 2, 255}},
		{HEADER("<i4", "False", "(0,)"), "", 0, 1, {0, 0}, {0}},
		{HEADER(">i4", "False", "(2,)"), "\0\0\1\2\xff\xff\xff\xfe", 8,
		 1, {2, 0}, {258, -2}},
		{HEADER(">u2", "False", "(2,)"), "\1\0\xff\xfe", 4,
		 1, {2, 0}, {256, 65534}},
		{HEADER(">i8", "False", "(1,)"), "\0\0\0\0\0\0\1\0", 8,
		 1, {1, 0}, {256}},
		/* 309 and -1 as floats, the second big-endian. */
		{HEADER("<f4", "False", "(2,)"), "\0\x80\x9a\x43\0\0\x80\xbf", 8,
		 1, {2, 0}, {309, -1}},
		{HEADER(">f8", "False", "(1,)"), "\x40\x73\x50\0\0\0\0\0", 8,
		 1, {1, 0}, {309}},
		/* A batch of one, in either order. */
		{HEADER("|u1", "False", "(1, 2, 2)"), "\1\2\3\4", 4,
		 2, {2, 2}, {1, 2, 3, 4}},
		{HEADER("|u1", "True", "(1, 1, 2, 2)"), "\1\2\3\4", 4,
		 2, {2, 2}, {1, 3, 2, 4}},
		{"{\"shape\":(1,),\"descr\":\"|u1\",\"fortran_order\":False}",
		 "\7", 1, 1, {1, 0}, {7}},
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		struct bytes b = npy(arrays[i].header, arrays[i].data,
				     arrays[i].n);
		struct bark_ints a = {0};
		size_t n;

		TAP_CHECK(name, !bark_npy_parse(&a, b.p, b.n, "file", NULL));
		TAP_CHECK(name, a.n_dims == arrays[i].n_dims);
		TAP_CHECK(name, a.dims[0] == arrays[i].dims[0]);
		TAP_CHECK(name, a.dims[1] == arrays[i].dims[1]);
		n = a.dims[0] * (a.n_dims == 2 ? a.dims[1] : 1);
		TAP_CHECK(name, !memcmp(a.data, arrays[i].values, n * 4));
		bark_ints_clear(&a);
		TAP_CHECK(name, damage(&b, 500, try_npy, NULL) == 0);
		clear_bytes(&b);
	}
	tap_ok(name);
}

static void test_bad_npy(void)
{
	static const char name[] = "bad arrays";
	static const struct {
		const char *header;
		size_t n;
		int error;
	} arrays[] = {
		{HEADER("<f2", "False", "(2,)"), 4, -EINVAL},
		{HEADER("<i3", "False", "(1,)"), 3, -EINVAL},
		{HEADER("=i4", "False", "(1,)"), 4, -EINVAL},
		{HEADER("|i4", "False", "(1,)"), 4, -EINVAL},
		{HEADER("<U1", "False", "(1,)"), 4, -EINVAL},
		{HEADER("<c8", "False", "(1,)"), 8, -EINVAL},
		{HEADER("|O", "False", "(1,)"), 8, -EINVAL},
		{HEADER("|O", "False", "()"), 8, -EINVAL},
		{HEADER("<i4", "False", "()"), 4, -EINVAL},
		{HEADER("<i4", "False", "(1)"), 4, -EINVAL},
		{HEADER("<i4", "False", "(1,1,1,1,1)"), 4, -EINVAL},
		{HEADER("|u1", "False", "(2,1,2)"), 4, -EINVAL},
		{HEADER("<i4", "False", "(-1,)"), 4, -EINVAL},
		{HEADER("<i4", "False", "(2,)"), 4, -EINVAL},
		{HEADER("<i4", "False", "(1,)"), 5, -EINVAL},
		{HEADER("<i4", "Maybe", "(1,)"), 4, -EINVAL},
		{HEADER("<i4", "False", "(16777217,)"), 4, -E2BIG},
		{HEADER("<i4", "False", "(100000, 100000)"), 4, -E2BIG},
		{HEADER("<i4", "False", "(99999999999999999999,)"), 4, -EINVAL},
		{"{'descr': '<i4', 'shape': (1,)}", 4, -EINVAL},
		{"{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, "
		 "'shape': (1,)}", 4, -EINVAL},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (1,), "
		 "'more': 1}", 4, -EINVAL},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (1,)} x",
		 4, -EINVAL},
		{"", 4, -EINVAL},
	};
	static const char big[] = "\0\0\0\0\1\0\0\0\0\0\0\0";
	struct bytes b;

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		int r;

		b = npy(arrays[i].header, big, arrays[i].n);
		r = try_npy(b.p, b.n, NULL);
		if (r != arrays[i].error) {
			tap_not_ok(name, "%s gave %d", arrays[i].header, r);
			return;
		}
		clear_bytes(&b);
	}
	/* A half, infinity, none, beyond int32_t. */
	for (size_t i = 0; i < 4; i++) {
		static const char *const floats[] = {
			"\0\0\0\x3f", "\0\0\x80\x7f", "\0\0\xc0\x7f",
			"\0\0\0\x4f",
		};

		b = npy(HEADER("<f4", "False", "(1,)"), floats[i], 4);
		TAP_CHECK(name, try_npy(b.p, b.n, NULL) == -EINVAL);
		clear_bytes(&b);
	}
	b = npy(HEADER("<i8", "False", "(1,)"), big, 8);
	TAP_CHECK(name, try_npy(b.p, b.n, NULL) == -EINVAL);
	b.p[6] = 9;
	TAP_CHECK(name, try_npy(b.p, b.n, NULL) == -EINVAL);
	clear_bytes(&b);
	tap_ok(name);
}

static void test_archives(void)
{
	static const char *const files[] = {"voice.npz", "deflated.npz"};
	static const char name[] = "archives";

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = read_fixture(root, files[i]);
		const char *path = write_temp("a.npz", b.p, b.n);
		struct bark_ints a = {0};

		TAP_CHECK(name, !bark_npz_read(&a, path, "semantic_prompt",
					       NULL));
		TAP_CHECK(name, a.n_dims == 1 && a.dims[0] == 9 &&
			  a.data[8] == 8);
		bark_ints_clear(&a);
		TAP_CHECK(name, !bark_npz_read(&a, path, "coarse_prompt",
					       NULL));
		TAP_CHECK(name, a.n_dims == 2 && a.dims[0] == 2 &&
			  a.dims[1] == 36);
		for (int j = 0; j < 72; j++)
			TAP_CHECK(name, a.data[j] == j % 8);
		bark_ints_clear(&a);
		TAP_CHECK(name, !bark_npz_read(&a, path, "fine_prompt", NULL));
		TAP_CHECK(name, a.dims[0] == 4 && a.dims[1] == 36 &&
			  a.data[143] == 143 % 7);
		bark_ints_clear(&a);
		TAP_CHECK(name, bark_npz_read(&a, path, "prompt", NULL) ==
			  -ENOENT);
		TAP_CHECK(name, damage(&b, 5000, try_npz,
				       (void *)"coarse_prompt") == 0);
		clear_bytes(&b);
	}
	TAP_CHECK(name, bark_npz_read(&(struct bark_ints){0},
				      temp_path("none"), "a", NULL) == -ENOENT);
	TAP_CHECK(name, bark_npz_read(&(struct bark_ints){0}, temp_dir, "a",
				      NULL) == -EINVAL);
	tap_ok(name);
}

/* Two members whose second may be made to lie. */
static struct bytes archive(const struct zip_member *second)
{
	const struct bytes b = npy(HEADER("|u1", "False", "(1,)"), "\7", 1);
	const struct zip_member first = {"a.npy", b.p, b.n, 0, 0, 0, 0};
	struct zip_writer z = {0};

	zip_add(&z, &first);
	zip_add(&z, second);
	zip_end(&z);
	free(b.p);
	return z.file;
}

static void test_lies(void)
{
	static const char name[] = "lies in archives";
	static const unsigned char junk[64] = {3, 1, 4, 1, 5};
	static const struct {
		struct zip_member second;
		int error; /* of reading the second member */
	} cases[] = {
		{{"b.npy", junk, 64, 0, 0, 0, 0}, -EINVAL},
		{{"b.npy", junk, 64, 0, 1, 0, 0}, -ENOTSUP},
		{{"b.npy", junk, 64, 12, 0, 0, 0}, -ENOTSUP},
		{{"b.npy", junk, 64, 0, 0, 65, 0}, -EINVAL},
		{{"b.npy", junk, 64, 8, 0, 1000, 0}, -EINVAL},
		{{"b.npy", junk, 64, 8, 0, 64 * 1032 + 2000, 0}, -EINVAL},
		{{"b.npy", junk, 64, 8, 0, 0xfffffff0, 0}, -EINVAL},
		{{"b.npy", junk, 64, 0, 0, 0, 1}, -EINVAL},
		{{"a.npy", junk, 64, 0, 0, 0, 0}, -EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = archive(&cases[i].second);

		TAP_CHECK(name, try_npz(b.p, b.n, (void *)"b") ==
			  cases[i].error);
		clear_bytes(&b);
	}
	tap_ok(name);
}

/* Both members' directory records point at the first one's data. */
static void test_overlap(void)
{
	static const char name[] = "members that overlap";
	const struct zip_member second = {"b.npy", "x", 1, 0, 0, 0, 0};
	struct bytes b = archive(&second);
	unsigned char *p = b.p + b.n;
	uint32_t offset;

	/* The second directory record ends where the end record begins. */
	p -= 22 + strlen("b.npy") + 4;
	memcpy(&offset, p, 4);
	TAP_CHECK(name, try_npz(b.p, b.n, (void *)"a") == 0);
	memset(p, 0, 4);
	b.p[30] = 'b'; /* so that the local name agrees */
	TAP_CHECK(name, try_npz(b.p, b.n, (void *)"b") < 0);
	clear_bytes(&b);
	tap_ok(name);
}

/* 130 MiB of zeros in 130 KiB, which no voice has. */
static void test_bomb(void)
{
	static const char name[] = "a deflate bomb";
	const size_t n = (size_t)130 << 20, cap = (size_t)1 << 20;
	unsigned char *zeros = calloc(1, n), *packed = malloc(cap);
	z_stream z = {.next_in = zeros, .avail_in = (uInt)n,
		      .next_out = packed, .avail_out = (uInt)cap};
	struct zip_member member = {"b.npy", packed, 0, 8, 0, n, 0};
	struct bytes b;

	TAP_CHECK(name, deflateInit2(&z, 9, Z_DEFLATED, -15, 9, 0) == Z_OK);
	TAP_CHECK(name, deflate(&z, Z_FINISH) == Z_STREAM_END);
	member.n = cap - z.avail_out;
	deflateEnd(&z);
	b = archive(&member);
	TAP_CHECK(name, try_npz(b.p, b.n, (void *)"b") == -E2BIG);
	free(zeros);
	free(packed);
	clear_bytes(&b);
	tap_ok(name);
}

/* The end record's fields moved to zip64's. */
static void test_zip64(void)
{
	static const char name[] = "zip64";
	const struct zip_member second = {"b.npy", "x", 1, 0, 0, 0, 0};
	struct bytes b = archive(&second), w = {0};
	uint32_t size, offset;

	memcpy(&size, b.p + b.n - 10, 4);
	memcpy(&offset, b.p + b.n - 6, 4);
	put(&w, b.p, b.n - 22);
	put(&w, "PK\6\6", 4);
	put_number(&w, 44, 8);
	put_number(&w, 45, 4);
	put_number(&w, 0, 8);
	put_number(&w, 2, 8);
	put_number(&w, 2, 8);
	put_number(&w, size, 8);
	put_number(&w, offset, 8);
	put(&w, "PK\6\7\0\0\0\0", 8);
	put_number(&w, b.n - 22, 8);
	put_number(&w, 1, 4);
	put(&w, "PK\5\6\0\0\0\0\xff\xff\xff\xff", 12);
	put_number(&w, UINT64_MAX, 8);
	put_number(&w, 0, 2);
	TAP_CHECK(name, try_npz(w.p, w.n, (void *)"a") == 0);
	damage(&w, 5000, try_npz, (void *)"a");
	clear_bytes(&b);
	clear_bytes(&w);
	tap_ok(name);
}

static bool same(const struct bark_ints *a, const struct bark_ints *b)
{
	size_t n = a->dims[0] * (a->n_dims == 2 ? a->dims[1] : 1);

	return a->n_dims == b->n_dims && a->dims[0] == b->dims[0] &&
	       (a->n_dims == 1 || a->dims[1] == b->dims[1]) &&
	       !memcmp(a->data, b->data, n * sizeof(*a->data));
}

static void test_writing(void)
{
	static const char name[] = "writing";
	int32_t values[] = {1, -2, 3, 4, 5, 2000000000};
	struct bark_ints flat = {values, 1, {6, 0}}, rect = {values, 2, {2, 3}};
	struct bark_ints a = {0};
	const char *path = temp_path("out.npy");
	float pcm[] = {0.5f, -1.0f};
	struct stat st;

	TAP_CHECK(name, !bark_npy_write_i32(path, values, 2, rect.dims));
	TAP_CHECK(name, !bark_npy_read(&a, path, NULL) && same(&a, &rect));
	bark_ints_clear(&a);
	TAP_CHECK(name, !bark_npy_write_f32(path, pcm, 2));
	TAP_CHECK(name, !stat(path, &st) && st.st_size == 128 + 8);
	TAP_CHECK(name, bark_npy_read(&a, path, NULL) == -EINVAL);
	TAP_CHECK(name, bark_npy_write_i32(temp_path("no/such"), values, 2,
					   rect.dims) == -ENOENT);
	path = temp_path("out.npz");
	TAP_CHECK(name, !bark_npz_write_voice(path, &flat, &rect, &rect));
	TAP_CHECK(name, !bark_npz_read(&a, path, "semantic_prompt", NULL) &&
		  same(&a, &flat));
	bark_ints_clear(&a);
	TAP_CHECK(name, !bark_npz_read(&a, path, "fine_prompt", NULL) &&
		  same(&a, &rect));
	bark_ints_clear(&a);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	make_temp_dir();
	test_npy();
	test_bad_npy();
	test_archives();
	test_lies();
	test_overlap();
	test_bomb();
	test_zip64();
	test_writing();
	remove_temp_dir();
	return tap_failed;
}
