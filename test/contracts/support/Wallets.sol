// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice An ERC-1271 wallet that accepts the ECDSA signatures of one key.
contract SmartWallet {
    address private immutable _signer;

    constructor(address signer) {
        _signer = signer;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        bool valid = ecrecover(digest, uint8(signature[64]), r, s) == _signer;
        return valid ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice The code of a delegate (EIP-7702) that accepts no signature.
contract RefusingDelegate {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0xffffffff;
    }
}

/// @notice Takes ERC-721 tokens and, while it does, uses its new ownership at once.
contract Receiver {
    address private _target;
    bytes[] private _calls;

    function onReceipt(address target, bytes[] calldata calls) external {
        _target = target;
        for (uint256 i = 0; i < calls.length; ++i) _calls.push(calls[i]);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        for (uint256 i = 0; i < _calls.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory result) = _target.call(_calls[i]);
            require(success, string(result));
        }
        return this.onERC721Received.selector;
    }
}
