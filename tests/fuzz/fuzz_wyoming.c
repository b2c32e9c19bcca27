/* SPDX-License-Identifier: MIT */
/* libFuzzer: Wyoming's events, in pieces of the size that the first byte says. */
#include "event.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_reader reader = {0};
	const size_t piece = size ? (size_t)data[0] + 1 : 1;
	struct event e;
	int r = 0;

	for (size_t at = 1; at < size && r >= 0; at += piece) {
		const size_t n = size - at < piece ? size - at : piece;

		r = event_reader_feed(&reader, data + at, n);
		while (r >= 0 && (r = event_reader_next(&reader, &e)) == 1) {
			fuzz_check(e.type && json_is_object(e.data));
			event_clear(&e);
		}
	}
	event_reader_clear(&reader);
	return 0;
}
