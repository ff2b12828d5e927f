"""Detectors, sources of evidence, confirmations, rules of flap detection, by name: a line for each.

``DETECTORS.register("my-own", MyDetector)`` adds one of a user's own.
"""

from __future__ import annotations

from hasim.services.detection.confirm.alone import Alone
from hasim.services.detection.confirm.confirmation import Confirmation
from hasim.services.detection.confirm.objective import Objective
from hasim.services.detection.confirm.quorum import Quorum
from hasim.services.detection.confirm.replicas import Replicas
from hasim.services.detection.confirm.share import Share
from hasim.services.detection.confirm.witness import Witness
from hasim.services.detection.detectors.bertier import Bertier
from hasim.services.detection.detectors.chen import Chen
from hasim.services.detection.detectors.detector import Detector
from hasim.services.detection.detectors.down_after import DownAfter
from hasim.services.detection.detectors.exponential import Exponential
from hasim.services.detection.detectors.hearsay import Hearsay
from hasim.services.detection.detectors.lease import Lease
from hasim.services.detection.detectors.phi_accrual import NormalPhi, PhiAccrual
from hasim.services.detection.detectors.phi_exponential import ExponentialPhi
from hasim.services.detection.detectors.synchronised import Synchronised
from hasim.services.detection.detectors.threshold import Threshold
from hasim.services.detection.detectors.timeout import Timeout
from hasim.services.detection.detectors.two_windows import TwoWindows
from hasim.services.detection.detectors.vrrp import Vrrp
from hasim.services.detection.distrust.distrust import Distrust
from hasim.services.detection.distrust.tilt import Tilt
from hasim.services.detection.distrust.trusting import Trusting
from hasim.services.detection.evidence.gossip import Gossip
from hasim.services.detection.evidence.heartbeats import Heartbeats
from hasim.services.detection.evidence.messages import Messages
from hasim.services.detection.evidence.outliers import Outliers
from hasim.services.detection.evidence.pings import Pings
from hasim.services.detection.evidence.probes import Probes
from hasim.services.detection.evidence.source import Source
from hasim.services.detection.flapping.changes import Changes
from hasim.services.detection.flapping.damping import Damping
from hasim.services.detection.flapping.flapping import Flapping
from hasim.services.detection.flapping.never import Never
from hasim.services.detection.presets.akka import AKKA
from hasim.services.detection.presets.aws_alb import AWS_ALB
from hasim.services.detection.presets.aws_jdbc_efm import AWS_JDBC_EFM
from hasim.services.detection.presets.cassandra import CASSANDRA
from hasim.services.detection.presets.consul import CONSUL_LAN, CONSUL_WAN
from hasim.services.detection.presets.corosync import COROSYNC
from hasim.services.detection.presets.envoy import ENVOY
from hasim.services.detection.presets.haproxy import HAPROXY
from hasim.services.detection.presets.keepalived import KEEPALIVED
from hasim.services.detection.presets.kubernetes import KUBERNETES
from hasim.services.detection.presets.kubernetes_node import KUBERNETES_NODE
from hasim.services.detection.presets.nginx import NGINX
from hasim.services.detection.presets.orchestrator import ORCHESTRATOR
from hasim.services.detection.presets.patroni import PATRONI
from hasim.services.detection.presets.pg_auto_failover import PG_AUTO_FAILOVER
from hasim.services.detection.presets.route53 import ROUTE53
from hasim.services.detection.presets.sentinel import SENTINEL
from hasim.settings.presets import Preset
from hasim.settings.registry import Named, Registry

DETECTORS: Registry[Detector] = Registry(
    "a detector",
    {
        "threshold": Threshold,
        "timeout": Timeout,
        "down-after": DownAfter,
        "lease": Lease,
        "nfd-s": Synchronised,
        "nfd-e": Chen,
        "bertier": Bertier,
        "2w-fd": TwoWindows,
        "phi-accrual": PhiAccrual,
        "phi-normal": NormalPhi,
        "phi-exponential": ExponentialPhi,
        "ed": Exponential,
        "hearsay": Hearsay,
        "vrrp": Vrrp,
    },
)
SOURCES: Registry[Source] = Registry(
    "a source of evidence",
    {
        "probe": Probes,
        "messages": Messages,
        "heartbeat": Heartbeats,
        "ping": Pings,
        "gossip": Gossip,
        "outliers": Outliers,
    },
)
CONFIRMATIONS: Registry[Confirmation] = Registry(
    "a confirmation",
    {
        "alone": Alone,
        "quorum": Quorum,
        "share": Share,
        "objective": Objective,
        "replicas": Replicas,
        "witness": Witness,
    },
)
FLAPPINGS: Registry[Flapping] = Registry(
    "a rule of flap detection", {"never": Never, "damping": Damping, "changes": Changes}
)
DISTRUSTS: Registry[Distrust] = Registry(
    "a rule of distrust of oneself", {"trusting": Trusting, "tilt": Tilt}
)
PRESETS: Named[Preset] = Named(
    "a preset of detection",
    {
        "haproxy": HAPROXY,
        "nginx": NGINX,
        "envoy": ENVOY,
        "kubernetes": KUBERNETES,
        "aws-alb": AWS_ALB,
        "aws-jdbc-efm": AWS_JDBC_EFM,
        "route53": ROUTE53,
        "keepalived": KEEPALIVED,
        "patroni": PATRONI,
        "pg-auto-failover": PG_AUTO_FAILOVER,
        "corosync": COROSYNC,
        "orchestrator": ORCHESTRATOR,
        "akka": AKKA,
        "cassandra": CASSANDRA,
        "sentinel": SENTINEL,
        "kubernetes-node": KUBERNETES_NODE,
        "consul-lan": CONSUL_LAN,
        "consul-wan": CONSUL_WAN,
    },
)
