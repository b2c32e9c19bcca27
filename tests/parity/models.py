# SPDX-License-Identifier: MIT
"""Small random Bark models in transformers' layout, for comparisons.

The weights are random, but spread so that greedy decoding neither loops nor
hangs on a hair: embeddings, norms and biases are all drawn, and the output
rows that only transformers could choose are zero.
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import BarkConfig, BarkModel, BertTokenizer
from transformers.models.bark.configuration_bark import (
    BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig)
from transformers.models.bark.generation_configuration_bark import (
    BarkCoarseGenerationConfig, BarkFineGenerationConfig, BarkGenerationConfig,
    BarkSemanticGenerationConfig)
from transformers import EncodecConfig
from transformers.modeling_utils import no_init_weights

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# What differs between the models. `rows` rounds vocabularies up.
MODELS = {
    # windows small enough for many of them in a short text; coarse history
    # 60; the published codec's rates; a width that no vector length divides
    "small": dict(
        seed=13, width=36, heads=3, layers=2, bias=False, block=160,
        semantic=120, codes=32, max_input=32, max_new=96, max_semantic=64,
        history=60, window=12, fine_history=32, fine_input=64,
        ratios=[8, 5, 4, 2], rate=24000, bandwidths=[3.0], residual=1,
        shortcut=True, pad="reflect", weight_norm="parametrizations",
        eos_gain=1.3, min_eos_p=0.2),
    # the published windows and rates, with biases; a short hop, so that the
    # sound of 1,100 frames stays small; the older names of weight norms
    "windows": dict(
        seed=27, width=32, heads=4, layers=2, bias=True, block=1024,
        semantic=200, codes=64, max_input=256, max_new=768, max_semantic=256,
        history=630, window=60, fine_history=512, fine_input=1024,
        ratios=[7, 2], rate=1050, bandwidths=[3.6, 5.4], residual=2,
        shortcut=False, pad="constant", weight_norm="weight_g",
        eos_gain=1.2, min_eos_p=0.2),
}


def vocabulary():
    """Letters, digits and marks, their inner forms and a few longer pieces."""
    chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    whole = list(chars) + list(".,:;!?'-[]")
    pieces = ["the", "The", "and", "ing", "##ing", "##er", "##ed", "speak",
              "hello", "Hello", "world", "##ld", "##ght"]
    inner = ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"]
    return SPECIAL + whole + inner + pieces


def roundup(n, to=8):
    return (n + to - 1) // to * to


def layout(spec):
    """Token numbers of a model, laid out like the published ones."""
    n_text = len(vocabulary())
    s, c = spec["semantic"], spec["codes"]
    out_rows = roundup(s + 1)
    text_pad = out_rows + roundup(n_text)
    coarse_pad = s + 2 * c
    return dict(
        semantic_out=out_rows, text_offset=out_rows, text_pad=text_pad,
        semantic_infer=text_pad + 4, semantic_in=roundup(text_pad + 5),
        coarse_pad=coarse_pad, coarse_infer=coarse_pad + 2,
        coarse_rows=roundup(coarse_pad + 3), fine_rows=roundup(c + 1))


def configs(spec):
    at = layout(spec)
    gpt = dict(block_size=spec["block"], num_layers=spec["layers"],
               num_heads=spec["heads"], hidden_size=spec["width"],
               dropout=0.0, bias=spec["bias"])
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(
            input_vocab_size=at["semantic_in"],
            output_vocab_size=at["semantic_out"], **gpt).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(
            input_vocab_size=at["coarse_rows"],
            output_vocab_size=at["coarse_rows"], **gpt).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            input_vocab_size=at["fine_rows"],
            output_vocab_size=at["fine_rows"], n_codes_total=8,
            n_codes_given=1, **gpt).to_dict(),
        codec_config=EncodecConfig(
            sampling_rate=spec["rate"], target_bandwidths=spec["bandwidths"],
            codebook_size=spec["codes"], hidden_size=16, codebook_dim=16,
            num_filters=4, upsampling_ratios=spec["ratios"],
            num_residual_layers=spec["residual"], pad_mode=spec["pad"],
            use_conv_shortcut=spec["shortcut"]).to_dict())
    s = spec["semantic"]
    generation = BarkGenerationConfig.from_sub_model_configs(
        BarkSemanticGenerationConfig(
            eos_token_id=s, semantic_vocab_size=s, do_sample=True,
            temperature=0.7, min_eos_p=spec["min_eos_p"], top_k=0,
            text_encoding_offset=at["text_offset"],
            text_pad_token=at["text_pad"],
            semantic_infer_token=at["semantic_infer"],
            max_input_semantic_length=spec["max_input"],
            max_new_tokens=spec["max_new"]),
        BarkCoarseGenerationConfig(
            do_sample=True, temperature=0.7, top_k=0,
            coarse_semantic_pad_token=at["coarse_pad"],
            coarse_infer_token=at["coarse_infer"],
            max_coarse_input_length=spec["max_semantic"],
            max_coarse_history=spec["history"],
            sliding_window_len=spec["window"]),
        BarkFineGenerationConfig(
            temperature=0.5, max_fine_history_length=spec["fine_history"],
            max_fine_input_length=spec["fine_input"]),
        sample_rate=spec["rate"], codebook_size=spec["codes"])
    return config, generation


def fill(model, spec):
    g = torch.Generator().manual_seed(spec["seed"])

    def draw(p, std, mean=0.0):
        with torch.no_grad():
            p.copy_(torch.randn(p.shape, generator=g) * std + mean)

    width = spec["width"]
    for name, p in model.named_parameters():
        if name.startswith("codec_model."):
            continue
        if "layernorm" in name:
            draw(p, 0.2, 1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            draw(p, 0.2)
        elif "position_embeds" in name:
            draw(p, 1.0)
        elif "embeds" in name or "lm_head" in name:
            # fine's heads are its tables: one size has to serve as both
            draw(p, 0.6)
        else:
            draw(p, 1.4 / width ** 0.5)
    s, c = spec["semantic"], spec["codes"]
    with torch.no_grad():
        model.semantic.lm_head.weight[s] *= spec["eos_gain"]
        model.coarse_acoustics.lm_head.weight[s + 2 * c:] = 0
        for name, p in model.codec_model.decoder.named_parameters():
            if "original0" in name:
                p.copy_(torch.rand(p.shape, generator=g) + 0.6)
            elif "lstm" in name:
                draw(p, 0.35)
            elif name.endswith("bias"):
                draw(p, 0.1)
            else:
                draw(p, 1.0)
        for layer in model.codec_model.quantizer.layers:
            draw(layer.codebook.embed, 0.6)
    model.tie_weights()


def build(name):
    spec = MODELS[name]
    config, generation = configs(spec)
    # its own initialisation fails on norms without biases
    with no_init_weights():
        model = BarkModel(config).eval()
    fill(model, spec)
    model.generation_config = generation
    return model


def save(model, name, path):
    """Writes what a published directory has, less what nobody reads: masks,
    the codec's encoder and training statistics, and tied heads."""
    os.makedirs(path, exist_ok=True)
    drop = ("attn.bias", "cluster_size", "embed_avg", "inited")
    state = {}
    for key, value in model.state_dict().items():
        if key.endswith(drop) or key.startswith(("codec_model.encoder.",
                                                 "fine_acoustics.lm_heads.")):
            continue
        if MODELS[name]["weight_norm"] == "weight_g":
            key = key.replace("parametrizations.weight.original0", "weight_g")
            key = key.replace("parametrizations.weight.original1", "weight_v")
        state[key] = value.contiguous()
    save_file(state, os.path.join(path, "model.safetensors"),
              metadata={"format": "pt"})
    os.chmod(os.path.join(path, "model.safetensors"), 0o644)
    model.config.save_pretrained(path)
    with open(os.path.join(path, "generation_config.json"), "w") as f:
        json.dump(model.generation_config.to_dict(), f, indent=2,
                  sort_keys=True, default=str)
        f.write("\n")
    with open(os.path.join(path, "vocab.txt"), "w") as f:
        f.write("\n".join(vocabulary()) + "\n")


def tokenizer(path):
    return BertTokenizer(os.path.join(path, "vocab.txt"), do_lower_case=False)
