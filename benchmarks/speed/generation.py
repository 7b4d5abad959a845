"""Measures generation of one sequence on one thread, beside a plain loop of nn.LSTM and the products alone.

    python -m benchmarks.speed.generation [--tokens 2000] [--repeats 5]

    ours       rnnplay's generate_ids at temperature 1, nothing cut off, drawing included
    plain      nn.Embedding, nn.LSTM and nn.Linear a token, softmax and torch.multinomial, with torch's default threads
    products   the matrix-vector products of the recurrent layers and the output, each once a token, and nothing else

Each is the best of the repeats, taken in turns; V is 65.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchmarks import options_of
from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.model.generation.sampling import generate_ids
from rnnplay.model.language_model import LanguageModel

SHAPES = [(1, 128), (1, 256), (2, 512), (3, 1024)]
VOCABULARY = 65


def ours(model: LanguageModel, tokens: int) -> None:
    """Draws `tokens` ids."""
    for _ in generate_ids(model, [1], SamplingConfig(length=tokens, temperature=1, seed=1)):
        pass


@torch.inference_mode()
def plain(model: LanguageModel, tokens: int) -> None:
    """Does the same as a first program would."""
    state, token = None, torch.tensor([[1]])
    for _ in range(tokens):
        hidden, state = model.rnn(model.embedding(token), state)
        probabilities = torch.softmax(model.output(hidden)[0, -1], 0)
        token = torch.multinomial(probabilities, 1)[None]


def products(model: LanguageModel) -> Callable[[int], None]:
    """Returns what multiplies alone: [U W] of each layer, of the first W, and the output's matrix."""
    config = model.config
    pairs = []
    for layer in range(config.layers):
        width = config.hidden * (2 if layer else 1)
        pairs.append((torch.randn(width, 4 * config.hidden).t(), torch.randn(width), torch.empty(4 * config.hidden)))
    pairs.append((torch.randn(config.hidden, VOCABULARY).t(), torch.randn(config.hidden), torch.empty(VOCABULARY)))

    def run(tokens: int) -> None:
        for _ in range(tokens):
            for matrix, vector, result in pairs:
                torch.mv(matrix, vector, out=result)

    return run


def rate(action: Callable[[int], None], tokens: int) -> float:
    """Tokens per second."""
    began = time.perf_counter()
    action(tokens)
    return tokens / (time.perf_counter() - began)


def main() -> None:
    """Prints the table."""
    parser = options_of("benchmarks.speed.generation", __doc__)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    threads = torch.get_num_threads()
    print("shape     ours   plain  products   ours/plain  ours/products   (tokens/s)")
    for layers, hidden in SHAPES:
        model = LanguageModel(RunConfig(hidden=hidden, layers=layers), VOCABULARY).eval()
        alone = products(model)
        best = [0.0, 0.0, 0.0]
        tokens = max(100, options.tokens * 128 // (hidden * layers))
        for _ in range(options.repeats):
            torch.set_num_threads(1)
            best[0] = max(best[0], rate(lambda n, model=model: ours(model, n), tokens))  # type: ignore[misc]
            best[2] = max(best[2], rate(alone, tokens))
            torch.set_num_threads(threads)
            best[1] = max(best[1], rate(lambda n, model=model: plain(model, n), max(50, tokens // 5)))  # type: ignore[misc]
        speeds = f"{best[0]:7,.0f}{best[1]:8,.0f}{best[2]:10,.0f}"
        print(f"{layers}×{hidden:<5}{speeds}{best[0] / best[1]:11.1f}{best[0] / best[2]:14.2f}", flush=True)


if __name__ == "__main__":
    main()
