/* State durations, log F0 and MGC of hts_engine for full-context labels, without running its vocoder.
 * usage: hts_params VOICE.htsvoice [-m] < labels     one label a line, a blank line ends an utterance
 * Writes for each utterance, little endian: int32 phones, int32 frames, uint16 dur[phones][5], float32 lf0[frames]
 * (0 = unvoiced) and with -m float32 mgc[frames][order + 1]. An utterance that fails is written as 0, 0.
 * build: cc -O2 -o hts_params hts_params.c -lHTSEngine -lm */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <HTS_engine.h>

#define MAX_LABELS 4096

static void utterance(HTS_Engine *e, char **line, size_t n, int want_mgc)
{
    int32_t head[2] = {0, 0};
    if (HTS_Engine_generate_state_sequence_from_strings(e, line, n) != TRUE ||
        HTS_Engine_generate_parameter_sequence(e) != TRUE) {
        fwrite(head, sizeof head, 1, stdout);
        HTS_Engine_refresh(e);
        return;
    }
    size_t states = HTS_Engine_get_nstate(e), frames = e->pss.total_frame;
    head[0] = (int32_t)n;
    head[1] = (int32_t)frames;
    fwrite(head, sizeof head, 1, stdout);
    for (size_t i = 0; i < n * states; i++) {
        uint16_t d = (uint16_t)HTS_Engine_get_state_duration(e, i);
        fwrite(&d, sizeof d, 1, stdout);
    }
    HTS_PStream *f0 = &e->pss.pstream[1], *mgc = &e->pss.pstream[0];
    for (size_t t = 0, v = 0; t < frames; t++) {       /* lf0 is stored for voiced frames only */
        float x = 0;
        if (!f0->msd_flag || f0->msd_flag[t])
            x = (float)f0->par[v++][0];
        fwrite(&x, sizeof x, 1, stdout);
    }
    for (size_t t = 0; want_mgc && t < frames; t++)
        for (size_t k = 0; k < mgc->vector_length; k++) {
            float x = (float)mgc->par[t][k];
            fwrite(&x, sizeof x, 1, stdout);
        }
    HTS_Engine_refresh(e);
}

int main(int argc, char **argv)
{
    int want_mgc = argc > 2 && !strcmp(argv[2], "-m");
    if (argc < 2) {
        fprintf(stderr, "usage: hts_params VOICE [-m] < labels\n");
        return 2;
    }
    HTS_Engine e;
    HTS_Engine_initialize(&e);
    if (HTS_Engine_load(&e, &argv[1], 1) != TRUE) {
        fprintf(stderr, "hts_params: cannot load %s\n", argv[1]);
        return 1;
    }
    char *line[MAX_LABELS], *buf = NULL;
    size_t n = 0, cap = 0;
    ssize_t len;
    while ((len = getline(&buf, &cap, stdin)) >= 0) {
        if (len && buf[len - 1] == '\n')
            buf[--len] = 0;
        if (len && n < MAX_LABELS) {
            line[n++] = strdup(buf);
            continue;
        }
        if (n)
            utterance(&e, line, n, want_mgc);
        while (n)
            free(line[--n]);
    }
    if (n)
        utterance(&e, line, n, want_mgc);
    while (n)
        free(line[--n]);
    free(buf);
    HTS_Engine_clear(&e);
    return 0;
}
