"""The fine network of the embedded voice: it has to exist, not to work.

Codebook 3 is zero vectors, so whatever it says adds nothing to the decoder's input. One layer of 8 columns with small seeded
weights: no zeros, since a quantiser may divide by a row's largest value."""
import torch

HIDDEN, ROWS, BLOCK, BOOKS = 8, 1696, 1024, 3


def config():
    return dict(model_type="fine_acoustics", n_codes_total=BOOKS, n_codes_given=1, tie_word_embeddings=True, block_size=BLOCK,
                input_vocab_size=ROWS, output_vocab_size=ROWS, num_layers=1, num_heads=1, hidden_size=HIDDEN, dropout=0.0, bias=False,
                initializer_range=0.02, use_cache=True)


def state(seed=1):
    """State dict of transformers' BarkFineModel without the tied lm_heads."""
    g = torch.Generator().manual_seed(seed)
    n = lambda *s: 0.02 * torch.randn(*s, generator=g)
    sd = {"input_embeds_layers.%d.weight" % i: n(ROWS, HIDDEN) for i in range(BOOKS)}
    sd["position_embeds_layer.weight"] = n(BLOCK, HIDDEN)
    for name in ("layers.0.layernorm_1", "layers.0.layernorm_2", "layernorm_final"):
        sd[name + ".weight"], sd[name + ".bias"] = torch.ones(HIDDEN), torch.zeros(HIDDEN)
    sd["layers.0.attn.att_proj.weight"], sd["layers.0.attn.out_proj.weight"] = n(3 * HIDDEN, HIDDEN), n(HIDDEN, HIDDEN)
    sd["layers.0.mlp.in_proj.weight"], sd["layers.0.mlp.out_proj.weight"] = n(4 * HIDDEN, HIDDEN), n(HIDDEN, 4 * HIDDEN)
    return sd
