/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"

static const double bounds[METRICS_BUCKETS] = {.03, .05, .1, .2,
					       .5,  1,	 2,  5};

void histogram_add(struct histogram *h, double seconds)
{
	int i = 0;

	while (i < METRICS_BUCKETS && seconds > bounds[i])
		i++;
	h->counts[i]++;
	h->sum += seconds;
}

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP barkd_%s %s\n# TYPE barkd_%s %s\n", name, help,
		name, type);
}

static void one(FILE *f, const char *name, const char *type, const char *help,
		double value)
{
	head(f, name, type, help);
	fprintf(f, "barkd_%s %.10g\n", name, value);
}

static void put_histogram(FILE *f, const char *name, const char *help,
			  const struct histogram *h)
{
	uint64_t n = 0;

	head(f, name, "histogram", help);
	for (int i = 0; i < METRICS_BUCKETS; i++) {
		n += h->counts[i];
		fprintf(f, "barkd_%s_bucket{le=\"%g\"} %llu\n", name,
			bounds[i], (unsigned long long)n);
	}
	n += h->counts[METRICS_BUCKETS];
	fprintf(f,
		"barkd_%s_bucket{le=\"+Inf\"} %llu\n"
		"barkd_%s_sum %.6f\nbarkd_%s_count %llu\n",
		name, (unsigned long long)n, name, h->sum, name,
		(unsigned long long)n);
}

/* One counter by what became of it. */
static void by_result(FILE *f, const char *name, const char *help,
		      const char *const *results, const uint64_t *counts,
		      size_t n)
{
	head(f, name, "counter", help);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "barkd_%s{result=\"%s\"} %llu\n", name, results[i],
			(unsigned long long)counts[i]);
}

/* A label's value, as the format wants it quoted. */
static void put_label(FILE *f, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '\\' || *s == '"')
			putc('\\', f);
		if (*s == '\n')
			fputs("\\n", f);
		else
			putc(*s, f);
	}
}

static void put_all(FILE *f, struct daemon *d)
{
	static const char *const spoken[] = {"done", "stopped", "dropped",
					     "failed"};
	static const char *const rendered[] = {"done", "failed", "gone"};
	const struct counters *c = &d->counters;
	const uint64_t n_spoken[] = {c->spoken, c->stopped, c->dropped,
				     c->failed};
	const uint64_t n_rendered[] = {c->rendered, c->render_failed,
				       c->render_gone};
	struct studio_info m = studio_info(d->studio);
	struct sinks_info s = sinks_info(d->sinks);

	head(f, "info", "gauge", "What is running.");
	fputs("barkd_info{version=\"" BARKD_VERSION "\",model=\"", f);
	put_label(f, m.name);
	fputs("\",kernels=\"", f);
	put_label(f, m.kernels);
	fputs("\",sink=\"", f);
	put_label(f, s.name);
	fputs("\"} 1\n", f);
	by_result(f, "utterances_total", "Texts spoken at the sink.", spoken,
		  n_spoken, 4);
	by_result(f, "renders_total", "Texts spoken for clients.", rendered,
		  n_rendered, 3);
	one(f, "stops_total", "counter", "Requests to be silent.",
	    (double)c->stops);
	one(f, "underruns_total", "counter",
	    "Times the sink had to wait for samples.",
	    outlet_underruns(d->outlet));
	one(f, "xruns_total", "counter", "Overruns that the server told.",
	    outlet_xruns(d->outlet));
	one(f, "queue_length", "gauge", "Texts that wait.",
	    (double)d->queue.n_waiting);
	one(f, "renders_running", "gauge", "Texts being spoken for clients.",
	    d->n_renders);
	one(f, "speaking", "gauge", "Whether a text is being spoken.",
	    d->queue.current != NULL);
	one(f, "model_loaded", "gauge", "Whether the model is in memory.",
	    m.memory > 0);
	one(f, "model_bytes", "gauge", "Memory of the model's weights.",
	    (double)m.memory);
	one(f, "resident_bytes", "gauge", "Resident memory of the process.",
	    (double)view_resident_bytes());
	one(f, "cpu_seconds_total", "counter", "Processor time used.",
	    view_cpu_s());
	one(f, "uptime_seconds", "gauge", "Since the start.",
	    (double)(daemon_now_ns() - d->started) / 1e9);
	put_histogram(f, "first_sound_seconds",
		      "From a request to its first sample taken by the sink.",
		      &d->first_sound);
}

char *metrics_page(struct daemon *d, size_t *ret_n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_n);

	if (!f)
		return NULL;
	put_all(f, d);
	if (ferror(f) | fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
