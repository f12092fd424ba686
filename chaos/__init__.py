"""Killing the processes of the action path at random points, and counting what was lost: no part of the product."""
