"""Names the packages: they stand under two roots, and setup.cfg's `find:` takes one."""

from setuptools import find_packages, setup

setup(
    packages=find_packages("src") + find_packages(include=["blueprints", "blueprints.*"]),
    package_dir={"": "src", "blueprints": "blueprints"},
)
