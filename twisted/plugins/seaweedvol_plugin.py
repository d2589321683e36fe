"""Names the ``seaweed-volume`` service to twistd; everything else is loaded only when it is chosen."""

from twisted.application.service import ServiceMaker

seaweed_volume = ServiceMaker(
    "SeaweedFS volume server",
    "seaweedvol.tap",
    "Serve SeaweedFS volumes over HTTP and gRPC.",
    "seaweed-volume",
)
