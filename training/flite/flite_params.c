/* State durations, F0 and mel-cepstra of a Clustergen voice of flite.
 * usage: flite_params rms|awb < texts      one text a line
 * Writes for each text, little endian: int32 phones, int32 frames (5 ms), char name[phones][4], uint16 dur[phones][3] (frames of each
 * state), float32 f0[frames] (Hz, 0 = unvoiced), float32 mcep[frames][25]. A text that fails is written as 0, 0.
 * First of all come three floats: the warping of the cepstra (alpha), their postfilter (beta) and the sampling rate.
 * build: cc -O2 -o flite_params flite_params.c -lflite_cmu_us_rms -lflite_cmu_us_awb -lflite_usenglish -lflite_cmulex -lflite -lm */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <flite/flite.h>
#include <flite/cst_cg.h>

#define ORDER 25
#define MAX_PHONES 2048

cst_voice *register_cmu_us_rms(const char *dir);
cst_voice *register_cmu_us_awb(const char *dir);

static void nothing(void)
{
    int32_t head[2] = {0, 0};
    fwrite(head, sizeof head, 1, stdout);
}

static void utterance(cst_voice *v, const char *text)
{
    static char name[MAX_PHONES][4];
    static uint16_t dur[MAX_PHONES][3];
    cst_utterance *u = flite_synth_text(text, v);
    if (!u || !utt_feat_val(u, "param_track")) {
        nothing();
        if (u)
            delete_utterance(u);
        return;
    }
    cst_cg_db *db = val_cg_db(utt_feat_val(u, "cg_db"));
    cst_track *t = mlpg(val_track(utt_feat_val(u, "param_track")), db);
    int32_t head[2] = {0, t->num_frames};
    for (cst_item *seg = utt_rel_head(u, "segstate"); seg && head[0] < MAX_PHONES; seg = item_next(seg), head[0]++) {
        int i = 0;
        memset(name[head[0]], 0, 4);
        strncpy(name[head[0]], item_feat_string(seg, "name"), 3);
        memset(dur[head[0]], 0, sizeof dur[0]);
        for (cst_item *s = item_daughter(seg); s && i < 3; s = item_next(s), i++)
            for (cst_item *f = item_daughter(item_as(s, "mcep_link")); f; f = item_next(f))
                dur[head[0]][i]++;
    }
    if (t->num_channels < ORDER + 1 || head[0] == MAX_PHONES) {
        nothing();
    } else {
        fwrite(head, sizeof head, 1, stdout);
        fwrite(name, 4, (size_t)head[0], stdout);
        fwrite(dur, sizeof dur[0], (size_t)head[0], stdout);
        for (int i = 0; i < t->num_frames; i++)
            fwrite(&t->frames[i][0], sizeof(float), 1, stdout);
        for (int i = 0; i < t->num_frames; i++)
            fwrite(&t->frames[i][1], sizeof(float), ORDER, stdout);
    }
    delete_track(t);
    delete_utterance(u);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (argc < 2 || (strcmp(argv[1], "rms") && strcmp(argv[1], "awb"))) {
        fprintf(stderr, "usage: flite_params rms|awb < texts\n");
        return 2;
    }
    flite_init();
    cst_voice *v = strcmp(argv[1], "rms") ? register_cmu_us_awb(NULL) : register_cmu_us_rms(NULL);
    feat_set_int(v->features, "mlsa_speed_param", 20);   /* nobody hears flite's own wave */
    cst_cg_db *db = val_cg_db(feat_val(v->features, "cg_db"));
    float head[3] = {db->mlsa_alpha, db->mlsa_beta, (float)db->sample_rate};
    fwrite(head, sizeof head, 1, stdout);
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        if (n && line[n - 1] == '\n')
            line[--n] = 0;
        utterance(v, line);
    }
    free(line);
    return 0;
}
