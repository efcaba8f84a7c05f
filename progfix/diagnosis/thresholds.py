"""Every number that decides a finding, in one place, with the reason for it.

Errors and biases are in units of progress, where a whole action is 1. docs/diagnosis.md
says the same in words.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["THRESHOLDS", "Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """Where findings begin.

    Attributes:
        frames: Fewest frames in which a range can be seen to have collapsed.
        targets: Range of the targets (5 to 95 %) that these frames must have.
        segments: Fewest segments from which a habit is told from chance.
        clock_segments: Fewest segments to compare with frame counting, which itself has to
            be learnt from durations.
        skill_constant: Skill against a constant below which a head has learnt nothing
            useful. Heads of the failing recipe reach .00 to .04, frame counting .15 to .7.
        skill_counting: Skill against frame counting below which the video adds nothing.
        behind_clock: MAE beyond that of counting frames from which a head is held to be worse,
            though durations hardly differ and counting is nearly right.
        skill_counting_unsure: Upper end of its interval from which nothing is said.
        spread_error: Standard deviation of predictions over that of targets, below which
            the range has collapsed: at best three quarters of a constant's error remain.
        spread_warning: The same where the range is merely narrow. A predictor that knows
            nothing but the clock keeps more (.49 on EgoProceL, .81 on the built-in data).
        stretched: How far below a constant's MAE the best stretch of a narrow range must come
            to be called following progress.
        middle_ratio: Error at both ends (first and last fifth) over that in the middle
            fifth. A constant 0.5 has 8, an error that does not depend on position 1.
        middle_end: Error that both ends must reach; a constant 0.5 has 0.4.
        middle_end_error: The same for an error instead of a warning.
        early: Mean bias in the first tenth, beyond a positive one in the middle fifth. A
            clock that is too fast by a factor of two reaches .05 there, a constant 0.5 has
            .45.
        first_frame: Median prediction at the first frame above the median target there,
            likewise. It is a single frame, hence the higher bar.
        late: Mean bias in the last tenth, from which an end counts as missed.
        late_error: The same for an error instead of a warning.
        late_slope: Rise of predictions per rise of targets in the last fifth, below which
            they stand still.
        knows_duration: Skill against both ways of counting from which a head is taken to know
            how long actions are; below it, an end that even counting misses is not held
            against it.
        response: Rise of predictions per rise of targets among frames with equal elapsed;
            0 is a pure clock, 1 a head that knows durations.
        clock_explained: Share of the predictions' variance that elapsed explains, from
            which they are a curve at all and not noise.
        clock_wholly: The same share from which nothing else is worth a word.
        durations_alike: The same share for the targets, above which durations hardly
            differ and counting frames is the right thing to do.
        fall: Mean distance of predictions below the highest value that their segment has
            already reached.
        fall_error: The same for an error instead of a warning.
        backwards: Mean rank correlation of answers with time below which they run backwards;
            the upper end of its interval over videos must lie below it too.
        trained_skill: Skill against a constant from which a head has evidently trained,
            whatever its optimiser state says; nor is it said to have none while the
            interval of its skill reaches this far.
        moment_rms: Root mean square of a head tensor's bias-corrected second moments of
            Adam, sqrt(v / (1 - beta2^step)): the size of the gradients it was given. Adam
            adds eps = 1e-8 to it, so that 1e-10 means steps of less than a hundredth of
            the learning rate. The failing recipe leaves below 2.4e-12, a head that trains
            3e-5 and more.
        unmoved: Mean change of the answers by noise, zeros and another action's frames, each,
            below which a head does not use the embeddings.
        order: The same by another order of the frames.
        future: The same by another future, from which a model is said to see it, and ...
        future_error: ... from which its answers cannot be had while the action goes on.
        future_embedding: Change of embeddings by another future, over their spread, from
            which an encoder is said to see it, whatever the head makes of it. Rounding
            has 1e-6.
        duration_blind: Share of the error about log duration that embeddings take from a
            clock, below which they say nothing of durations. Pure noise has 0 or less, an
            encoder that tells actions apart .2 and more.
        duration_unsure: Upper end of its interval from which nothing is said.
        lost: MAE that a simple predictor on the embeddings saves, from which the head is
            said to lose what they carry; the lower end of its interval must be above 0.
        starved: Update of the head over the largest that Adam can make, below which its
            training is a matter of millions of steps. The failing recipe leaves 4e-5.
        unseen: Bias beyond that in the middle, at frames that sampling never shows.
        coverage: Distance of the share of targets inside 80 % intervals from .8; its
            interval over videos must leave .8 out too.
        coverage_error: The same for an error instead of a warning.
        off_scale: How far beyond 0 or 1 the 5 or 95 % quantile of answers lies that may be on
            another scale.
        believable: MAE over a constant's that answers may have on a scale that they are taken
            to be on: those of an untrained head have about 1, random ones 1.33.
        no_progress: Size of the 5 or 95 % quantile from which answers are no progress, whether
            or not a scale is known that they are on.
    """

    frames: int = 10
    targets: float = 0.2
    segments: int = 10
    clock_segments: int = 20
    skill_constant: float = 0.10
    skill_counting: float = 0.05
    behind_clock: float = 0.10
    skill_counting_unsure: float = 0.20
    spread_error: float = 0.25
    spread_warning: float = 0.40
    stretched: float = 0.01
    middle_ratio: float = 2.5
    middle_end: float = 0.15
    middle_end_error: float = 0.25
    early: float = 0.15
    first_frame: float = 0.25
    late: float = 0.08
    late_error: float = 0.25
    late_slope: float = 0.35
    knows_duration: float = 0.10
    response: float = 0.15
    clock_explained: float = 0.50
    clock_wholly: float = 0.90
    durations_alike: float = 0.90
    fall: float = 0.12
    fall_error: float = 0.25
    backwards: float = -0.3
    trained_skill: float = 0.25
    moment_rms: float = 1e-10
    unmoved: float = 0.03
    order: float = 0.02
    future: float = 0.01
    future_error: float = 0.02
    future_embedding: float = 0.02
    duration_blind: float = 0.05
    duration_unsure: float = 0.15
    lost: float = 0.02
    starved: float = 0.05
    unseen: float = 0.15
    coverage: float = 0.10
    coverage_error: float = 0.30
    off_scale: float = 0.5
    believable: float = 1.4
    no_progress: float = 10.0


THRESHOLDS = Thresholds()
