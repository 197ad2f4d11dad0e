// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

// Tokens for the tests of connectors.evm. Whoever deploys them has all of them.

contract Token {
    string public symbol;
    uint8 public decimals;
    uint256 public totalSupply;
    uint256 public feePercent; // of each transfer, kept by `collector`, and told by no event
    address public collector;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory symbol_, uint8 decimals_, uint256 supply, uint256 feePercent_) {
        (symbol, decimals, totalSupply, feePercent, collector) = (symbol_, decimals_, supply, feePercent_, msg.sender);
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function approve(address spender, uint256 units) external returns (bool) {
        allowance[msg.sender][spender] = units;
        return true;
    }

    function transfer(address to, uint256 units) external returns (bool) {
        return _move(msg.sender, to, units);
    }

    function transferFrom(address from, address to, uint256 units) external returns (bool) {
        allowance[from][msg.sender] -= units;
        return _move(from, to, units);
    }

    function burn(uint256 units) external {
        balanceOf[msg.sender] -= units;
        totalSupply -= units;
        emit Transfer(msg.sender, address(0), units);
    }

    function _move(address from, address to, uint256 units) private returns (bool) {
        uint256 fee = from == collector ? 0 : (units * feePercent) / 100;
        balanceOf[from] -= units;
        balanceOf[to] += units - fee;
        balanceOf[collector] += fee;
        emit Transfer(from, to, units); // the whole amount, though less arrives
        return true;
    }
}

// A wrapped coin that tells wrapping and unwrapping by these two events alone.
contract Wrapped {
    string public constant symbol = "WETH";
    uint8 public constant decimals = 18;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Deposit(address indexed owner, uint256 value);
    event Withdrawal(address indexed owner, uint256 value);

    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    receive() external payable {
        deposit();
    }

    function withdraw(uint256 units) external {
        balanceOf[msg.sender] -= units;
        (bool paid, ) = payable(msg.sender).call{value: units}("");
        require(paid, "not paid out");
        emit Withdrawal(msg.sender, units);
    }

    function transfer(address to, uint256 units) external returns (bool) {
        balanceOf[msg.sender] -= units;
        balanceOf[to] += units;
        emit Transfer(msg.sender, to, units);
        return true;
    }
}

// Says Deposit like a wrapped coin, and wraps nothing.
contract Stake {
    event Deposit(address indexed owner, uint256 value);

    function stake(uint256 units) external {
        emit Deposit(msg.sender, units);
    }
}

// Tells transfers of unique things in the three forms there are.
contract Unique {
    event Transfer(address indexed from, address indexed to, uint256 indexed id);
    event TransferSingle(address indexed by, address indexed from, address indexed to, uint256 id, uint256 value);
    event TransferBatch(address indexed by, address indexed from, address indexed to, uint256[] ids, uint256[] values);

    function give(address to) external {
        uint256[] memory two = new uint256[](2);
        (two[0], two[1]) = (7, 2 ** 255);
        emit Transfer(address(0), to, 2 ** 255);
        emit TransferSingle(msg.sender, address(0), to, 1, 2 ** 200);
        emit TransferBatch(msg.sender, address(0), to, two, two);
    }
}

// A token whose claims are made to harm whoever reads them.
contract Hostile {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function symbol() external pure returns (string memory) {
        revert("rate limit exceeded, invalid api key, quota");
    }

    function decimals() external pure returns (uint256) {
        return 2 ** 255;
    }

    function give(address to, uint256 units) external {
        emit Transfer(msg.sender, to, units);
    }
}
