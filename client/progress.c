/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "style.h"

#define REDRAW_S 0.1
#define JSON_S 1.0
#define MAX_WIDTH 120

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

enum progress_mode progress_default_mode(void)
{
	return style_terminal(stdout) ? PROGRESS_BAR : PROGRESS_LINES;
}

static void print_json(json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (text)
		printf("%s\n", text);
	fflush(stdout);
	free(text);
	json_decref(line);
}

static unsigned terminal_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < 40)
		return 80;
	return w.ws_col < MAX_WIDTH ? w.ws_col : MAX_WIDTH;
}

static void print_left(char *buf, size_t size, const struct progress *p,
		       uint64_t total)
{
	unsigned long s;

	buf[0] = '\0';
	if (p->rate <= 0 || total <= p->at)
		return;
	s = (unsigned long)((double)(total - p->at) / p->rate) + 1;
	if (s < 360000)
		snprintf(buf, size, "%lu:%02lu left", s / 60, s % 60);
}

/* "NAME  [####    ]  45 %  512.3 of 1120.0 MB  12.3 MB/s  0:50 left" */
static void draw(struct progress *p, uint64_t total)
{
	unsigned width = terminal_width(), bar, full;
	char left[32], text[160];
	double part;
	int n;

	if (p->series) {
		part = p->series_n ? (double)p->series_at / p->series_n : 0;
		n = snprintf(text, sizeof(text), "%3.0f %%  %u of %u",
			     part * 100, p->series_at, p->series_n);
	} else if (total) {
		part = (double)p->at / (double)total;
		print_left(left, sizeof(left), p, total);
		n = snprintf(text, sizeof(text),
			     "%3.0f %%  %.1f of %.1f MB  %.1f MB/s  %s",
			     part * 100, (double)p->at / 1e6,
			     (double)total / 1e6, p->rate / 1e6, left);
	} else {
		part = 0;
		n = snprintf(text, sizeof(text), "%.1f MB  %.1f MB/s",
			     (double)p->at / 1e6, p->rate / 1e6);
	}
	/* Two spaces, two brackets, two spaces, and the last column free. */
	bar = width > (unsigned)n + 20 + 7 + 8 ? width - (unsigned)n - 20 - 7
					       : 0;
	full = part < 1 ? (unsigned)(part * bar) : bar;
	printf("\r%-20.20s  ", p->series ? p->series : p->file);
	if (bar) {
		printf("[%s", style_on(stdout, STYLE_GOOD));
		for (unsigned i = 0; i < bar; i++) {
			if (i == full)
				fputs(style_off(stdout), stdout);
			putchar(i < full ? '#' : ' ');
		}
		printf("%s]  ", full == bar ? style_off(stdout) : "");
	}
	printf("%s\033[K", text);
	fflush(stdout);
	p->open = true;
}

void progress_clear(struct progress *p)
{
	if (p->open) {
		printf("\r\033[K");
		fflush(stdout);
	}
	p->open = false;
}

void progress_begin(struct progress *p, const char *file)
{
	snprintf(p->file, sizeof(p->file), "%s", file);
	p->shown = 0;
	p->rate = 0;
	progress_resume(p, 0);
}

void progress_resume(struct progress *p, uint64_t at)
{
	p->at = p->mark_at = at;
	p->mark = now();
}

static void measure(struct progress *p, double t)
{
	const double passed = t - p->mark;
	double rate;

	if (passed < 0.5)
		return;
	rate = p->at > p->mark_at ? (double)(p->at - p->mark_at) / passed : 0;
	p->rate = p->rate > 0 ? 0.7 * p->rate + 0.3 * rate : rate;
	p->mark = t;
	p->mark_at = p->at;
}

void progress_update(struct progress *p, uint64_t at, uint64_t total)
{
	const double t = now();

	p->at = at;
	measure(p, t);
	if (p->mode == PROGRESS_BAR && t - p->shown >= REDRAW_S) {
		draw(p, total);
		p->shown = t;
	} else if (p->mode == PROGRESS_JSON && !p->series &&
		   t - p->shown >= JSON_S) {
		print_json(json_pack("{s:s,s:s,s:I,s:I,s:f}", "event",
				     "progress", "file", p->file, "bytes",
				     (json_int_t)at, "total",
				     (json_int_t)total, "bytes_per_s",
				     p->rate));
		p->shown = t;
	}
}

void progress_end(struct progress *p, uint64_t size)
{
	if (p->series) {
		p->series_at++;
		return;
	}
	progress_clear(p);
	if (p->mode == PROGRESS_JSON)
		print_json(json_pack("{s:s,s:s,s:I}", "event", "file", "file",
				     p->file, "bytes", (json_int_t)size));
	else if (p->mode != PROGRESS_QUIET)
		printf("%-30s %8.1f %s\n", p->file,
		       (double)size / (size < 1000000 ? 1e3 : 1e6),
		       size < 1000000 ? "kB" : "MB");
	fflush(stdout);
}

void progress_series(struct progress *p, const char *name, unsigned n)
{
	p->series = name;
	p->series_at = 0;
	p->series_n = n;
}

void progress_series_end(struct progress *p)
{
	progress_clear(p);
	if (p->mode == PROGRESS_JSON)
		print_json(json_pack("{s:s,s:s,s:i}", "event", "series",
				     "series", p->series, "files",
				     (int)p->series_at));
	else if (p->mode != PROGRESS_QUIET)
		printf("%-30s %8u files\n", p->series, p->series_at);
	fflush(stdout);
	p->series = NULL;
}

void progress_note(struct progress *p, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	progress_clear(p);
	if (p->mode == PROGRESS_JSON)
		print_json(json_pack("{s:s,s:s}", "event", "note", "message",
				     line));
	else if (p->mode != PROGRESS_QUIET)
		printf("%s\n", line);
	fflush(stdout);
}
